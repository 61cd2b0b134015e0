/* assert.h - ASSERT stays compiled in, in every build. It states what a bug would break; it is never applied to input. */
#ifndef FARTHING_UTIL_ASSERT_H
#define FARTHING_UTIL_ASSERT_H

/** Prints the failed expression with its place to standard error and aborts. Does not return. Any thread. */
_Noreturn void assert_failed(const char *expr, const char *file, int line);

#define ASSERT(expr) ((expr) ? (void)0 : assert_failed(#expr, __FILE__, __LINE__))

#endif
