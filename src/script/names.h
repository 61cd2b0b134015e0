/* names.h - opcode names back to numbers, for the assembler. */
#ifndef FARTHING_SCRIPT_NAMES_H
#define FARTHING_SCRIPT_NAMES_H

#include <stddef.h>

/** An opcode by its name, with or without "OP_". Returns: -1 if assembly has no such word. */
int opcode_from_name(const char *name, size_t len);

#endif
