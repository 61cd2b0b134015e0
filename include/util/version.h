/* version.h - names and versions that programs show. */
#ifndef FARTHING_UTIL_VERSION_H
#define FARTHING_UTIL_VERSION_H

#define FARTHING_NAME "Farthing"
#define FARTHING_VERSION "0.1.0"

#endif
