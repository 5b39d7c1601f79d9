/*
 * Does our lexer see what Ruby sees? Programs are put together at random (fixed seed, or CUTOVER_SEED) from pieces that
 * are hard to read, then Ruby's own parser (oracle.rb) says what it finds in those that it takes. Ours may give up
 * (RUBY_UNCLEAR, and not too often), but what it says must be what Ruby says.
 */
#include "tests/lib/unit.h"

#include "agents/edit/ruby_constant.h"
#include "base/alloc.h"
#include "base/buf.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAMS 6000
#define PIECES_MAX 9

static uint64_t random_state = 20151119;

static unsigned rnd(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 11) % below);
}

/* Nothing in these assigns the constant. */
static const char *const decoys[] = {
	"# ROOT_URI = 'https://comment.example/'",
	"=begin\nROOT_URI = 'https://block.example/'\n=end",
	"a = 'ROOT_URI = \"x\"'",
	"a = 'it\\'s ROOT_URI = 1'",
	"a = \"x \\\" #{1 + 1} ROOT_URI = 'y' #{'}'}\"",
	"a = \"#{\"#{'\"'} ROOT_URI = 1\"}\"",
	"a = \"#\" + '#{'",
	"a = \"#a #{} #b\"",
	"a = <<X\nROOT_URI = 'https://here.example/'\nX",
	"a = <<-X.strip + 'b'\n  ROOT_URI = 'https://here.example/'\n  X",
	"a = <<~X\n  ROOT_URI = 'https://here.example/' #{b = 1; \"X\"}\n  X",
	"a = <<'X Y'\nROOT_URI = '#{'\nX Y",
	"a = <<\"X\"\nROOT_URI = '\\#{' \\\nX\nX",
	"foo(<<A, <<B)\nROOT_URI = 1\nA\nROOT_URI = 2\nB",
	"foo <<A, 'b' # <<C\n'\nA",
	"a = [1] << 'x' << \"y\"",
	"a = []\na <<'X'\na << 'X'",
	"a = 1 <<2",
	"class << self; end",
	"class Foo < Bar; end",
	"a = /ROOT_URI = '/",
	"a = /[\\/'\"]#{1}/mi",
	"a = 6 / 2 # / '",
	"a = 6\nb = a /2; c = 1/ 3",
	"foo /'/, 1",
	"foo(/\"/)",
	"a = b ? /'/ : /\"/",
	"if a =~ /'/ then 1 end",
	"a = [/'/, /\"/]",
	"return /'/ if a",
	"a = %q(ROOT_URI = ' ( ) ')",
	"a = %Q{ROOT_URI = \" #{\"}\"} { } }",
	"a = %(it's)",
	"a = %w[ROOT_URI = ' \\] ]",
	"a = %i{b c'}",
	"a = %r{'/}x",
	"a = %q|'|",
	"a = %q\"'\"",
	"a = 7 % 3; b = a %3; c = a % '3'",
	"foo %w[a']",
	"a = 7 %3 ; '",
	"a = ?'; b = ?\"; c = ?\\'",
	"a = b ?'x':'y'",
	"a = b ? 'x' : 'y'",
	"a = b.nil? ? 'x' : \"y\"",
	"a = ?\\C-a + ?\\M-\\C-x + ?\\u{41} + ?a",
	"a = :'ROOT_URI = '; b = :\"x'\"",
	"a = { 'k': \"v'\", k: 'v', :k => :v, \"x\" => 'y' }",
	"a = [:+, :/, :%, :<<, :[], :[]=, :!, :`, :a?, :b!, :c=]",
	"a = $'; b = $\"; c = $`; d = $/; e = $;; f = $-w",
	"a = @b; c = @@d",
	"a = `echo '`",
	"def foo=(v); end",
	"def /(v); end",
	"def %(v) = 1",
	"def `(v); end",
	"def self.foo(a, b = '\"'); a / b; end",
	"def ROOT_URI=(v); end",
	"def self.ROOT_URI=(v); end",
	"a.ROOT_URI = 'https://method.example/'",
	"a&.ROOT_URI = 'https://method.example/'",
	"a = ROOT_URI == 'x' || ROOT_URI =~ /'/ || ROOT_URI != \"'\"",
	"a = { ROOT_URI => 'x', ROOT_URI: 'y' }",
	"foo(ROOT_URI, 'x')",
	"foo ROOT_URI, 'x'",
	"a = [\n  ROOT_URI,\n  'b'\n]",
	"a = b.\n  c\n  .d('\"')",
	"a = 1 +\\\n  2 # '",
	"a = 1.5e-3 + 0x1f + 1_000 - 2r",
	"a = (1..2) ; b = 1...3",
	"a = ->(x) { x / 2 }",
	"foo { |x| /'/ =~ x }",
	"foo do |x| \"'\" end",
	"puts -1, *a, &b",
	"a = !b && ~c",
	"OTHER_ROOT_URI = 'https://other.example/'",
	"ROOT_URI_2 = 'https://other.example/'",
	"$ROOT_URI = 'https://global.example/'",
	"@ROOT_URI = 'https://ivar.example/'",
	"\xc3\x84ROOT_URI = 'https://umlaut.example/'",
	"a = '\xe8\xa1\xa8' # \xe8\xa1\xa8",
	"alias foo bar",
	"undef foo",
	"a = defined?(ROOT_URI)",
	"a = \"#$\" b\"",
	"a = \"#@b #$c #\"",
	"BEGIN { a = '\"' }",
	"while a do b /2 end",
	"a = b.class / 2 # '",
	"a = self / 2 # '",
	"a = [1][0] / 2 # '",
	"a = (1) / 2 # '",
	"a = b::C / 2 # '",
	"puts a ?x : y",
	"",
	"",
};

/* These do. */
static const char *const assignments[] = {
	"ROOT_URI = 'https://us.imhs-ws.example/imhs/v1.0/en'",
	"ROOT_URI = \"https://us.imhs-ws.example/imhs/v1.0/en\"",
	"ROOT_URI='https://us.imhs-ws.example/imhs/v1.0/en'.freeze",
	"ROOT_URI   =\t\"https://us.imhs-ws.example:443/\" # it's",
	"ROOT_URI = %q(https://us.imhs-ws.example/)",
	"ROOT_URI = %Q[https://us.imhs-ws.example/]",
	"ROOT_URI = %(https://us.imhs-ws.example/)",
	"ROOT_URI =\n  'https://us.imhs-ws.example/'",
	"ROOT_URI = # '\n  'https://us.imhs-ws.example/'",
	"ROOT_URI = \\\n  'https://us.imhs-ws.example/'",
	"module M; ROOT_URI = 'https://us.imhs-ws.example/'; end",
	"module M\n  ROOT_URI = 'https://us.imhs-ws.example/'\nend",
	"::ROOT_URI = 'https://us.imhs-ws.example/'",
	"M::ROOT_URI = 'https://us.imhs-ws.example/'",
	"a = ROOT_URI = 'https://us.imhs-ws.example/'",
	"a = \"#{ROOT_URI = 'https://us.imhs-ws.example/'}\"",
	"foo { ROOT_URI = 'https://us.imhs-ws.example/' }",
	"ROOT_URI = 'https://us.imhs-ws.example/' if a",
	"ROOT_URI = 'https://us.imhs-ws.example' + '/x'",
	"ROOT_URI = 'https://us.imhs-ws.example' '/x'",
	"ROOT_URI = \"https://us.imhs-ws.example#{a}\"",
	"ROOT_URI = 'https://us.imhs-ws.example'.sub('a', 'b')",
	"ROOT_URI = 'https://us.imhs-ws.example'\n  .sub('a', 'b')",
	"ROOT_URI = 'https://us.imhs-ws.example'\n# x\n  .sub('a', 'b')",
	"ROOT_URI ||= 'https://us.imhs-ws.example/'",
	"ROOT_URI += 'x'",
	"ROOT_URI, A = 'x', 'y'",
	"A, ROOT_URI = 'x', 'y'",
	"A, *ROOT_URI = 'x', 'y'",
	"(A, ROOT_URI), B = 'x', 'y'",
	"ROOT_URI = 'x', 'y'",
	"ROOT_URI = ENV['X'] || 'https://us.imhs-ws.example/'",
	"ROOT_URI = <<X.strip\nhttps://us.imhs-ws.example/\nX",
	"ROOT_URI = ('https://us.imhs-ws.example/')",
	"ROOT_URI = a ? 'x' : 'https://us.imhs-ws.example/'",
	"ROOT_URI = %w[https://us.imhs-ws.example/]",
	"ROOT_URI = :'https://us.imhs-ws.example/'",
};

/* In Shift_JIS, where the second byte of a character may be a backslash, a brace or a quote's look-alike. */
static const char *const shift_jis[] = {
	"a = '\x95\x5c'",       "a = \"\x83\x5c\" + '\x83\x7b' # \x95\x5c",
	"a = %q(\x95\x5c)",     "a = /\x83\x5c/",
	"a = <<X\n\x83\x5c\nX", "a = <<X\n#{'\x83\x5c'} \x83\x7b\nX",
	"\x83\x5c = 1",         "a = :\"\x83\x5c\"",
	"a = ?\x83\x5c",        "a = '\x83\x5c\\''",
	"a = \"\xb1\x5c\"\"",   "a = { \x83\x5c: 1 }",
};

static const char *const separators[] = { "\n", "\n", "\n", "\n", "\r\n", "; ", "\n\n  " };

static void one_program(struct buf *out)
{
	unsigned pieces = 1 + rnd(PIECES_MAX);
	bool sjis = rnd(6) == 0;

	if (sjis)
		buf_adds(out, rnd(2) ? "# coding: cp932\n" : "#!/usr/bin/ruby\n# -*- coding: Shift_JIS -*-\n");
	else if (rnd(12) == 0)
		buf_adds(out, "\xef\xbb\xbf");
	if (!sjis && rnd(8) == 0)
		buf_adds(out, "# -*- coding: utf-8 -*-\n");
	for (unsigned i = 0; i < pieces; i++) {
		if (rnd(5) == 0)
			buf_adds(out, assignments[rnd(ARRAY_LEN(assignments))]);
		else if (sjis && rnd(2))
			buf_adds(out, shift_jis[rnd(ARRAY_LEN(shift_jis))]);
		else
			buf_adds(out, decoys[rnd(ARRAY_LEN(decoys))]);
		buf_adds(out, separators[rnd(ARRAY_LEN(separators))]);
	}
	if (rnd(10) == 0)
		buf_adds(out, "__END__\nROOT_URI = 'https://end.example/'\n");
	else if (rnd(10) == 0)
		buf_adds(out, "\x1a ROOT_URI = 'https://eof.example/'\n");
	/* A byte or two of it changed, in some: what Ruby still takes is worth a look. */
	for (unsigned n = rnd(3) == 0 ? 1 + rnd(2) : 0; n && out->len; n--)
		out->data[rnd((unsigned)out->len)] = "'\"#/%<\\\n{}()? \x95\x5c;=:|,.&$@a"[rnd(27)];
}

static bool have_ruby(void)
{
	return access("/usr/bin/ruby", X_OK) == 0 || access("/usr/local/bin/ruby", X_OK) == 0;
}

/* Runs the oracle on the file `from`, its answer into the file `to`. */
static void ask_ruby(const char *from, const char *to)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(in, 0);
		dup2(out, 1);
		execlp("ruby", "ruby", "--disable=gems", SOURCE_DIR "/tests/unit/edit/oracle.rb", (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

struct tally {
	int taken, found, unclear, needlessly;
};

static void show_and_fail(const char *program, size_t len, const char *answer, const struct ruby_constant *ours)
{
	static const char *const names[] = { "found", "none", "several", "unclear" };

	fprintf(stderr, "---- program\n");
	fwrite(program, 1, len, stderr);
	fprintf(stderr, "\n---- Ruby: %s\n---- ours: %s, line %ld, %s\n", answer, names[ours->state], ours->lines[0],
		ours->shown);
	ck_abort_msg("the lexer and Ruby differ");
}

/* The one value in Ruby's answer, "" when it is not one plain string. */
static const char *unhex(const char *hex, char out[512])
{
	size_t n = 0;

	for (; hex[0] && hex[1] && hex[0] != ' ' && n < 511; hex += 2) {
		unsigned byte;

		if (sscanf(hex, "%2x", &byte) != 1)
			break;
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return out;
}

static void compare(const char *program, size_t len, const char *answer, struct tally *tally)
{
	struct ruby_constant ours;
	int theirs = *answer ? 1 : 0;
	char value[512];
	bool agree = true;

	ruby_constant_find(program, len, "ROOT_URI", &ours);
	if (strcmp(answer, "bad") == 0)
		return;
	tally->taken++;
	for (const char *at = answer; *at; at++)
		theirs += *at == ' ';
	unhex(theirs ? strchr(answer, ':') + 1 : "", value);
	switch (ours.state) {
	case RUBY_FOUND:
		tally->found++;
		agree = theirs == 1 && strtol(answer, NULL, 10) == ours.lines[0] && strstr(value, ours.host);
		break;
	case RUBY_NONE:
		agree = theirs == 0;
		break;
	case RUBY_SEVERAL:
		agree = theirs > 1;
		break;
	case RUBY_UNCLEAR:
		tally->unclear++;
		tally->needlessly += theirs == 0;
		break;
	}
	if (!agree)
		show_and_fail(program, len, answer, &ours);
}

START_TEST(test_as_ruby_reads_it)
{
	char from[] = "/tmp/cutover-oracle-XXXXXX", to[] = "/tmp/cutover-oracle-XXXXXX", line[4096];
	static struct buf programs[PROGRAMS];
	struct tally tally = { 0 };
	const char *seed = getenv("CUTOVER_SEED");
	FILE *file;

	if (seed)
		random_state = strtoull(seed, NULL, 10);
	if (!have_ruby()) {
		printf("SKIP test_as_ruby_reads_it: there is no Ruby\n");
		return;
	}
	close(mkstemp(from));
	close(mkstemp(to));
	file = fopen(from, "w");
	for (int i = 0; i < PROGRAMS; i++) {
		one_program(&programs[i]);
		fprintf(file, "%zu\n", programs[i].len);
		fwrite(buf_str(&programs[i]), 1, programs[i].len, file);
	}
	ck_assert_int_eq(fclose(file), 0);
	ask_ruby(from, to);
	file = fopen(to, "r");
	for (int i = 0; i < PROGRAMS; i++) {
		ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
		line[strcspn(line, "\n")] = '\0';
		compare(buf_str(&programs[i]), programs[i].len, line, &tally);
		buf_release(&programs[i]);
	}
	fclose(file);
	unlink(from);
	unlink(to);
	printf("of %d programs Ruby takes %d; found %d, unclear %d, %d of them where Ruby sees none\n", PROGRAMS,
	       tally.taken, tally.found, tally.unclear, tally.needlessly);
	ck_assert_int_gt(tally.taken, PROGRAMS / 3);
	ck_assert_int_gt(tally.found, PROGRAMS / 20);
	ck_assert_int_lt(tally.needlessly, tally.taken / 100);
}
END_TEST

SUITE(ruby_oracle)
{
	TEST_CASE(s, test_as_ruby_reads_it);
}
