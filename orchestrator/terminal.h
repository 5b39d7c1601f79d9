/*
 * What the program says, and where. Human text goes to stderr, machine output to stdout; all of it is redacted
 * (base/redact.h), and control bytes in human text become '?', since hosts' own words are in it.
 *
 * Colour and redrawing are for terminals only. One process, one terminal: the state is the file's own.
 */
#ifndef ORCHESTRATOR_TERMINAL_H
#define ORCHESTRATOR_TERMINAL_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Looks at stderr and stdout. Called once, before anything is said. TERM=dumb counts as no terminal for redrawing. */
void terminal_init(bool no_color);

/* Is there somebody who can see a picture redrawn (stderr), or answer a question (stdin and stderr)? */
bool terminal_is_live(void);
bool terminal_can_ask(void);

/* May human text (stderr) have colour? And what is put on stdout? */
bool terminal_colour(void);
bool terminal_colour_out(void);

/* Is stdout a terminal? Its columns; 0 where it is none. */
bool terminal_is_out(void);
int terminal_width_out(void);

/* Columns of stderr's terminal; 80 where there is none. Asked each time: windows change. And its lines, 24. */
int terminal_width(void);
int terminal_height(void);

/* ---- human text -------------------------------------------------------------------------------------------------- */

/* One line (or more, with '\n' between them) on stderr; the last newline is added. A live picture is taken away first. */
void terminal_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same for text that is ready, colours (ESC [ … m) included. */
void terminal_say_text(const char *text, size_t len);

/* "cutover: TEXT", in red where there is colour. */
void terminal_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

enum terminal_style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_CYAN };

/* The sequence that begins a style, "" where there is no colour. STYLE_PLAIN ends it. */
const char *terminal_style(enum terminal_style style);

/* ---- machine output ---------------------------------------------------------------------------------------------- */

/* Bytes for stdout. E_IO (E_NOSPACE) when they could not be written; a reader that went away is E_CLOSED. */
int terminal_put(const char *bytes, size_t len, struct err *err);

/* The end of a command whose work gave `rc`: says the error, gives the exit code. That the reader of stdout went away
   (E_CLOSED: `cutover status | head`) is no error. */
int terminal_end(int rc, const struct err *err);

/* ---- a picture that is redrawn ----------------------------------------------------------------------------------- */

/* Draws `text` (lines) in the place of the picture before. Only where terminal_is_live; lines are cut at the width, and
   what does not fit the height is left out at the end. */
void terminal_draw(const char *text, size_t len);

/* The last picture stays as it is, and what comes now stands below; or it is taken away. The cursor is shown again. */
void terminal_draw_end(bool keep);

/* ---- questions --------------------------------------------------------------------------------------------------- */

/* "QUESTION [y/N] ": true for y or yes. False also at the end of the input. Only where terminal_can_ask. */
bool terminal_ask(const char *question);

#endif
