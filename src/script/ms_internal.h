/* ms_internal.h - what the ms_*.c files share. Private to the module. */
#ifndef FARTHING_SCRIPT_MS_INTERNAL_H
#define FARTHING_SCRIPT_MS_INTERNAL_H

#include "script/miniscript.h"

/* The type of a node whose fragment, k and subs are set; 0 if they do not fit together. */
uint32_t ms_type_of(const struct ms_node *n, enum ms_context context);
/* Fills in the lengths and limits of a node whose other fields are set. */
void ms_limits_of(struct ms_node *n, enum ms_context context);

#endif
