/*
 * stderr, stdout and the picture that is redrawn on a terminal. What is written goes out in one write(2), so that lines
 * of the program's log do not land in the middle of it.
 */
#include "terminal.h"

#include "base/log.h"
#include "base/redact.h"
#include "exit.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ESC "\x1b"
#define DEFAULT_WIDTH 80
#define DEFAULT_HEIGHT 24
#define ANSWER_MAX 32

static struct {
	bool err_is_terminal, out_is_terminal, in_is_terminal;
	bool live; /* stderr can be redrawn */
	bool colour, colour_out;
	int drawn;       /* lines of the picture that stand there */
	bool hidden;     /* the cursor is */
	pthread_t owner; /* the thread that draws */
} term;

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Where stderr cannot be written there is nobody to tell. */
static void write_err(const struct buf *b)
{
	write_all(STDERR_FILENO, buf_str(b), b->len);
}

/* The length of a colour sequence (ESC [ digits ; … m) at the front, or 0. */
static size_t colour_len(const char *text, size_t len)
{
	size_t i = 2;

	if (len < 3 || text[0] != '\x1b' || text[1] != '[')
		return 0;
	while (i < len && ((text[i] >= '0' && text[i] <= '9') || text[i] == ';'))
		i++;
	return i < len && text[i] == 'm' ? i + 1 : 0;
}

/* Control bytes, C1 controls in UTF-8 (C2 80 … C2 9F) included. */
static bool is_control(const char *text, size_t left)
{
	unsigned char c = (unsigned char)text[0];

	if (c == 0xc2 && left > 1)
		return (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0;
	return c < 0x20 || c == 0x7f;
}

/* Redacted, and safe for a terminal: what moves the cursor or renames the window does not come through. */
static void add_safe(struct buf *out, const char *text, size_t len)
{
	struct buf clean = BUF_INIT;

	redact_add(&clean, text, len);
	for (size_t i = 0; i < clean.len;) {
		size_t colour = term.colour ? colour_len(clean.data + i, clean.len - i) : 0;
		if (colour) {
			buf_add(out, clean.data + i, colour);
			i += colour;
		} else if (clean.data[i] != '\n' && clean.data[i] != '\t' &&
			   is_control(clean.data + i, clean.len - i)) {
			buf_addc(out, '?');
			i += (unsigned char)clean.data[i] == 0xc2 ? 2 : 1;
		} else {
			buf_addc(out, clean.data[i++]);
		}
	}
	buf_release(&clean);
}

/* ---- the picture ------------------------------------------------------------------------------------------------- */

/* To the first column of its first line. */
static void add_home(struct buf *out)
{
	if (term.drawn)
		buf_addf(out, "\r" ESC "[%dA", term.drawn);
}

static void add_erase(struct buf *out)
{
	if (!term.drawn)
		return;
	add_home(out);
	buf_adds(out, ESC "[J");
	term.drawn = 0;
}

/* A code point of UTF-8 and its length; a broken one is one byte. */
static size_t decode(const char *text, size_t left, uint32_t *code)
{
	unsigned char c = (unsigned char)text[0];
	size_t len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (len > left)
		len = 1;
	*code = len == 1 ? c : c & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++)
		*code = *code << 6 | ((unsigned char)text[i] & 0x3f);
	return len;
}

/* Columns of a character: East Asian wide ones take two (Unicode's EastAsianWidth W and F, by block), marks none. */
static int code_columns(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} wide[] = { { 0x1100, 0x115f }, { 0x2e80, 0xa4cf },   { 0xac00, 0xd7a3 },
		     { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
		     { 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd } };

	if ((code >= 0x300 && code <= 0x36f) || (code >= 0x200b && code <= 0x200f))
		return 0;
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (code >= wide[i].first && code <= wide[i].last)
			return 2;
	return 1;
}

/* One line, cut at the width; colours do not count. */
static void add_cut(struct buf *out, const char *line, size_t len, int width)
{
	int at = 0;
	uint32_t code;

	for (size_t i = 0; i < len;) {
		size_t n = colour_len(line + i, len - i);
		if (n == 0) {
			n = decode(line + i, len - i, &code);
			at += code_columns(code);
			if (at > width)
				break;
		}
		buf_add(out, line + i, n);
		i += n;
	}
	if (term.colour)
		buf_adds(out, ESC "[0m");
}

void terminal_draw(const char *text, size_t len)
{
	struct buf safe = BUF_INIT, out = BUF_INIT;
	int width = terminal_width(), height = terminal_height(), lines = 0;

	if (!term.live)
		return;
	add_safe(&safe, text, len);
	add_home(&out);
	if (!term.hidden)
		buf_adds(&out, ESC "[?25l");
	term.hidden = true;
	for (size_t i = 0; i < safe.len && lines < height - 1; lines++) {
		const char *line = safe.data + i, *end = memchr(line, '\n', safe.len - i);
		size_t n = end ? (size_t)(end - line) : safe.len - i;
		add_cut(&out, line, n, width);
		buf_adds(&out, ESC "[K\n");
		i += n + 1;
	}
	buf_adds(&out, ESC "[J");
	term.drawn = lines;
	write_err(&out);
	buf_release(&safe);
	buf_release(&out);
}

void terminal_draw_end(bool keep)
{
	struct buf out = BUF_INIT;

	if (!keep)
		add_erase(&out);
	term.drawn = 0;
	if (term.hidden)
		buf_adds(&out, ESC "[?25h");
	term.hidden = false;
	write_err(&out);
	buf_release(&out);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

void terminal_say_text(const char *text, size_t len)
{
	struct buf out = BUF_INIT;

	add_erase(&out);
	add_safe(&out, text, len);
	if (len == 0 || text[len - 1] != '\n')
		buf_addc(&out, '\n');
	write_err(&out);
	buf_release(&out);
}

static void say_args(const char *prefix, const char *fmt, va_list args)
{
	struct buf text = BUF_INIT;

	buf_adds(&text, prefix);
	buf_vaddf(&text, fmt, args);
	terminal_say_text(buf_str(&text), text.len);
	buf_release(&text);
}

void terminal_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_args("", fmt, args);
	va_end(args);
}

void terminal_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_args(term.colour ? ESC "[31mcutover:" ESC "[0m " : "cutover: ", fmt, args);
	va_end(args);
}

const char *terminal_style(enum terminal_style style)
{
	static const char *const sequences[] = {
		[STYLE_PLAIN] = ESC "[0m", [STYLE_BOLD] = ESC "[1m",   [STYLE_DIM] = ESC "[2m",
		[STYLE_RED] = ESC "[31m",  [STYLE_GREEN] = ESC "[32m", [STYLE_YELLOW] = ESC "[33m",
		[STYLE_CYAN] = ESC "[36m"
	};

	return term.colour ? sequences[style] : "";
}

int terminal_put(const char *bytes, size_t len, struct err *err)
{
	struct buf out = { .max = len + (len >> 1) + 4096 };
	int failed;

	redact_add(&out, bytes, len);
	failed = write_all(STDOUT_FILENO, buf_str(&out), out.len);
	buf_release(&out);
	if (failed == EPIPE)
		return err_set(err, E_CLOSED, "the reader of the output went away");
	return failed ? err_errno(err, failed, "the output cannot be written") : 0;
}

int terminal_end(int rc, const struct err *err)
{
	if (rc == 0 || rc == E_CLOSED)
		return EXIT_DONE;
	terminal_error("%s", err->text);
	return exit_for(rc);
}

bool terminal_ask(const char *question)
{
	char answer[ANSWER_MAX];
	size_t n = 0;
	char c;

	if (!terminal_can_ask())
		return false;
	terminal_draw_end(false);
	write_all(STDERR_FILENO, question, strlen(question));
	write_all(STDERR_FILENO, " [y/N] ", 7);
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		if (n < sizeof(answer) - 1)
			answer[n++] = c;
	answer[n] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

/* ---- what the terminal can --------------------------------------------------------------------------------------- */

/* Lines of other threads (the journal writer's) may land in the picture; the next draw repairs it. */
static void log_sink(enum log_level level, const char *line)
{
	struct buf out = BUF_INIT;

	(void)level;
	if (pthread_equal(term.owner, pthread_self()))
		add_erase(&out);
	buf_adds(&out, line);
	write_err(&out);
	buf_release(&out);
}

static void show_cursor(void)
{
	terminal_draw_end(true);
}

void terminal_init(bool no_color)
{
	const char *name = getenv("TERM");
	bool able = name && *name && strcmp(name, "dumb") != 0;

	term.owner = pthread_self();
	term.in_is_terminal = isatty(STDIN_FILENO);
	term.out_is_terminal = isatty(STDOUT_FILENO);
	term.err_is_terminal = isatty(STDERR_FILENO);
	term.live = able && term.err_is_terminal;
	term.colour = able && term.err_is_terminal && !no_color;
	term.colour_out = able && term.out_is_terminal && !no_color;
	log_set_sink(log_sink);
	if (term.live)
		atexit(show_cursor);
}

bool terminal_is_live(void)
{
	return term.live;
}

bool terminal_is_out(void)
{
	return term.out_is_terminal;
}

bool terminal_can_ask(void)
{
	return term.in_is_terminal && term.err_is_terminal;
}

bool terminal_colour(void)
{
	return term.colour;
}

bool terminal_colour_out(void)
{
	return term.colour_out;
}

static bool window_size(int fd, struct winsize *size)
{
	return ioctl(fd, TIOCGWINSZ, size) == 0 && size->ws_col > 0 && size->ws_row > 1;
}

int terminal_width(void)
{
	struct winsize size;

	return window_size(STDERR_FILENO, &size) ? size.ws_col : DEFAULT_WIDTH;
}

int terminal_width_out(void)
{
	struct winsize size;

	if (!term.out_is_terminal)
		return 0;
	return window_size(STDOUT_FILENO, &size) ? size.ws_col : DEFAULT_WIDTH;
}

int terminal_height(void)
{
	struct winsize size;

	return window_size(STDERR_FILENO, &size) ? size.ws_row : DEFAULT_HEIGHT;
}
