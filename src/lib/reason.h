/* reason.h - private to the library: reject reasons as constants. */
#ifndef FARTHING_LIB_REASON_H
#define FARTHING_LIB_REASON_H

/** The constant string that equals a reason of a rule, or that it starts with where the reason goes on with a number. */
const char *reason_constant(const char *reason);

#endif
