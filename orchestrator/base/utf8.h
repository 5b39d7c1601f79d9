/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. Text from hosts may be anything.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

#include <stdint.h>

/* The length of the sequence that begins at `at` (1 to 4), 0 when there is none in `len` bytes. *code (may be NULL) is
   what it stands for. */
size_t utf8_next(const char *at, size_t len, uint32_t *code);

/* Adds a code point; one that is none (a surrogate, too large) as U+FFFD. */
void utf8_add(struct buf *out, uint32_t code);

/* Adds text, with U+FFFD for each byte that belongs to no sequence. */
void utf8_add_clean(struct buf *out, const char *text, size_t len);

/* Makes text from elsewhere one line that a terminal does not obey: newlines and tabs become blanks; other control
   bytes, what is no UTF-8, and the control characters U+0080 to U+009F become '?'. A character that the text's end cuts
   is left off. */
void utf8_printable(char *text);

#endif
