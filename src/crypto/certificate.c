/* certificate.c - makes the key and the self-signed certificate with which a server can speak TLS when its owner has given none. Called at start. */
#include "crypto/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/mem.h"
#include "util/random.h"

#define DAY 86400L
#define VALID_DAYS 3650L

static bool set_serial(X509 *x)
{
    uint8_t raw[16];
    BIGNUM *n;
    bool ok;

    random_bytes(raw, sizeof(raw));
    raw[0] = (uint8_t)((raw[0] & 0x7f) | 0x40); /* positive, of full length */
    n = BN_bin2bn(raw, sizeof(raw), NULL);
    ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;
    bool ok;

    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

/* Only what the text of an extension cannot take for something else. */
static bool plain_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == strlen(name);
}

static bool add_names(X509 *x)
{
    char host[65] = "", *names;
    bool ok;

    if (gethostname(host, sizeof(host) - 1) != 0 || !plain_name(host) || strcmp(host, "localhost") == 0)
        host[0] = 0;
    names = xasprintf("DNS:localhost,IP:127.0.0.1,IP:::1%s%s", *host ? ",DNS:" : "", host);
    ok = add_extension(x, NID_subject_alt_name, names);
    free(names);
    return ok;
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = x ? X509_get_subject_name(x) : NULL;

    if (x && X509_set_version(x, X509_VERSION_3) && set_serial(x) && X509_gmtime_adj(X509_getm_notBefore(x), -DAY) &&
        X509_gmtime_adj(X509_getm_notAfter(x), VALID_DAYS * DAY) && X509_set_pubkey(x, key) &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Farthing", -1, -1, 0) &&
        X509_set_issuer_name(x, name) && add_extension(x, NID_basic_constraints, "critical,CA:FALSE") && add_names(x) &&
        X509_sign(x, key, EVP_sha256()))
        return x;
    X509_free(x);
    return NULL;
}

static bool write_bio(BIO *bio, const char *path, unsigned mode)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    return len > 0 && fs_write_atomic(path, data, (size_t)len, mode) == RC_OK;
}

/* The key first: a certificate without one would be of no use. */
static bool write_files(X509 *x, EVP_PKEY *key, const char *cert_path, const char *key_path)
{
    BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_secmem());
    bool ok = c && k && PEM_write_bio_X509(c, x) && PEM_write_bio_PKCS8PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) &&
              write_bio(k, key_path, 0600) && write_bio(c, cert_path, 0644);

    BIO_free(c);
    BIO_free(k);
    return ok;
}

bool certificate_ensure(const char *cert_path, const char *key_path, bool *made, char **error)
{
    bool cert = fs_exists(cert_path), key = fs_exists(key_path), ok;
    EVP_PKEY *pair;
    X509 *x;

    if (made)
        *made = false;
    if (cert && key)
        return true;
    if (cert || key) {
        *error = xasprintf("There is %s but not %s: a certificate and its key belong together", cert ? cert_path : key_path,
                           cert ? key_path : cert_path);
        return false;
    }
    pair = EVP_EC_gen("P-256");
    x = pair ? make_certificate(pair) : NULL;
    ok = x && write_files(x, pair, cert_path, key_path);
    X509_free(x);
    EVP_PKEY_free(pair);
    if (!ok)
        *error = xasprintf("Could not write a certificate to %s and its key to %s", cert_path, key_path);
    else if (made)
        *made = true;
    return ok;
}
