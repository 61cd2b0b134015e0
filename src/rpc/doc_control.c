/* doc_control.c - documented results and examples of the commands about the program itself, and of helpers for tests. The notation: doc.h. */
#include "rpc/doc.h"

const struct rpc_part rpc_parts_control[] = {{"openrpc",
                                              "str openrpc - Version of the specification\n"
                                              "{ info\n"
                                              "  str title - Name of the interface\n"
                                              "  str version - The program's version\n"
                                              "  str description - What the document is\n"
                                              "}\n"
                                              "[ methods\n"
                                              "  {\n"
                                              "    str name - Name of the command\n"
                                              "    str description - What it does\n"
                                              "    [ params - Its parameters\n"
                                              "      {\n"
                                              "        str name - Name\n"
                                              "        bool required - Must it be given?\n"
                                              "        any schema - JSON Schema of its values\n"
                                              "        str? description - What it means\n"
                                              "        [? x-bitcoin-aliases - Further names\n"
                                              "          str - A name\n"
                                              "        ]\n"
                                              "        bool? x-bitcoin-placeholder - Is it there for old callers only?\n"
                                              "        bool? x-bitcoin-also-positional - Can it be given by position, too?\n"
                                              "      }\n"
                                              "    ]\n"
                                              "    { result\n"
                                              "      str name - \"result\"\n"
                                              "      any schema - JSON Schema of the result\n"
                                              "    }\n"
                                              "    str x-bitcoin-category - Which group of commands it belongs to\n"
                                              "  }\n"
                                              "]"},
                                             {NULL, NULL}};

const struct rpc_doc rpc_docs_control[] = {
    {"help", NULL,
     "str - The text\n"
     "when hidden\n"
     "any",
     "[]\n"
     "[\"getblock\"]"},
    {"stop", NULL, "str - That it stops", "[]"},
    {"uptime", NULL, "num - Seconds since the start", "[]"},
    {"getrpcinfo", NULL,
     "{\n"
     "  [ active_commands - Calls under way\n"
     "    {\n"
     "      str method - The command\n"
     "      num duration - Microseconds since it began\n"
     "    }\n"
     "  ]\n"
     "  str logpath - Where the log is\n"
     "}",
     "[]"},
    {"logging",
     "[? include\n"
     "  str - A category\n"
     "]\n"
     "[? exclude\n"
     "  str - A category\n"
     "]",
     "{*\n"
     "  bool category - Is it logged?\n"
     "}",
     "[]\n"
     "[[\"net\"], [\"http\"]]"},
    {"getmemoryinfo", NULL,
     "when for mode \"stats\"\n"
     "{\n"
     "  { locked - The memory that the program has taken\n"
     "    num used - Bytes in use\n"
     "    num free - Bytes free\n"
     "    num total - Bytes in all\n"
     "    num locked - Bytes that are never written to disk\n"
     "    num chunks_used - Pieces in use\n"
     "    num chunks_free - Pieces free\n"
     "  }\n"
     "}\n"
     "when for mode \"mallocinfo\"\n"
     "str - What the C library says of its heap, in XML",
     "[]\n"
     "[\"mallocinfo\"]"},
    {"getopenrpcinfo", NULL,
     "~{\n"
     "  &openrpc\n"
     "}",
     "[]\n"
     "[true]"},
    {"rpc.discover", NULL,
     "~{\n"
     "  &openrpc\n"
     "}",
     "[]"},
    {"enumeratesigners", NULL,
     "{\n"
     "  [ signers\n"
     "    {\n"
     "      hex fingerprint - Fingerprint of the device's master key\n"
     "      str name - Its model, as the program says\n"
     "    }\n"
     "  ]\n"
     "}",
     "[] ! -1 there is no -signer"},
    {"setmocktime", NULL, "null", "[0]"},
    {"mockscheduler", NULL, "null", "[1]"},
    {"syncwithvalidationinterfacequeue", NULL, "null", "[]"},
    {"echo", NULL, "any - The arguments", "[\"a\", \"b\"]"},
    {"echojson", NULL, "any - The arguments", "[1, {\"a\": true}]"},
    {"echoipc", NULL, "str - The argument", "[\"a\"]"},
    {"validateaddress", NULL,
     "{\n"
     "  bool isvalid - Is it an address of this network?\n"
     "  str? address - The address\n"
     "  hex? scriptPubKey - Its script\n"
     "  bool? isscript - Is it known to be of a script?\n"
     "  bool? iswitness - Is it of a witness program?\n"
     "  num? witness_version - Version of that\n"
     "  hex? witness_program - The program\n"
     "  str? error - What is wrong with it\n"
     "  [? error_locations - Where it is wrong\n"
     "    num - Index of a character\n"
     "  ]\n"
     "}",
     "[@address]"},
    {"getdescriptorinfo", NULL,
     "{\n"
     "  str descriptor - The descriptor without private keys, hardened steps as h\n"
     "  [? multipath_expansion - The descriptors that a multipath one stands for\n"
     "    str - One of them\n"
     "  ]\n"
     "  str checksum - Checksum of what was given\n"
     "  bool isrange - Does it have a *?\n"
     "  bool issolvable - Is all known but the signatures?\n"
     "  bool hasprivatekeys - Was there a private key in what was given?\n"
     "}",
     "[\"wpkh(@pubkey)\"]"},
    {"deriveaddresses", "range? range",
     "when for a descriptor of single paths\n"
     "[\n"
     "  str - An address\n"
     "]\n"
     "when for a descriptor of several paths\n"
     "[\n"
     "  [\n"
     "    str - An address\n"
     "  ]\n"
     "]",
     "[\"addr(@address)#checksum\"] ! -5 the checksum is wrong"},
    {"createmultisig",
     "[ keys\n"
     "  hex - A public key\n"
     "]",
     "{\n"
     "  str address - The address\n"
     "  hex redeemScript - The script\n"
     "  str descriptor - A descriptor of it\n"
     "  [? warnings\n"
     "    str - What to know of it\n"
     "  ]\n"
     "}",
     "[1, [@pubkey]]"},
    {"signmessagewithprivkey", NULL, "str - The signature in base64", "[@privkey, \"my message\"]"},
    {"verifymessage", NULL, "bool - Is it the signature of that address?",
     "[@address, \"H9L5yLFjti0QTHhPyFrZCT1V/MMnBtXKmoiKDZ78NDBjERki6ZTQZdSMCtkgoNmp17By9ItJr8o7ChX0XxY91nk=\", \"my message\"] ! "
     "-3 the address does not refer to a key"},
    {NULL, NULL, NULL, NULL}};
