/* A filled-in worksheet: what is read of it, what is wrong with it, and that it is all or nothing, once. */
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/sheet.h"

#include <unistd.h>

#define NOW INT64_C(1796130000000)
#define PATH "/tmp/sheets/filled.csv"

static struct rows rows;
static struct sheet sheet;
static struct sheet_word word;
static struct sheet_problems problems;
static struct err err;
static int64_t seq;

static void fold(struct journal_entry e)
{
	e.seq = ++seq;
	e.wall_ms = e.wall_ms ? e.wall_ms : NOW - 1000;
	memset(&err, 0, sizeof(err));
	ck_assert_msg(rows_apply(&rows, &e, &err) == 0, "%s", err.text);
}

static void asked(const char *tenant, const char *step, const char *target)
{
	fold((struct journal_entry){ .kind = JOURNAL_STATE,
				     .tenant = tenant,
				     .step = step,
				     .target = target,
				     .from = "pending",
				     .to = "needs_person" });
}

static void setup(void)
{
	rows_init(&rows);
	seq = 0;
	asked("acme", "template-review", "tenant");
	asked("basil", "template-review", "tenant");
	asked("basil", "mx", "domain:a.example");
	asked("basil", "mx", "domain:b.example");
}

static void teardown(void)
{
	sheet_word_release(&word);
	sheet_release(&sheet);
	sheet_problems_release(&problems);
	rows_release(&rows);
}

static int read_text(const char *text, const char *by)
{
	struct confirm who = { .by = by, .os_user = "ops", .ssh_origin = "192.0.2.1" };

	sheet_word_release(&word);
	sheet_release(&sheet);
	sheet_problems_release(&problems);
	memset(&err, 0, sizeof(err));
	return sheet_read(PATH, text, strlen(text), &who, &sheet, &problems, &err);
}

static void judge(const char *text)
{
	ck_assert_msg(read_text(text, NULL) == 0, "%s", err.text);
	sheet_judge(&rows, sheet.at, sheet.n, NOW, &word, &problems);
}

static void expect_problems(const char *const *wanted, size_t n)
{
	for (size_t i = 0; i < problems.n || i < n; i++)
		ck_assert_str_eq(i < problems.n ? problems.at[i] : "(none)", i < n ? wanted[i] : "(none)");
}

static void write_it(void)
{
	for (size_t i = 0; i < word.n; i++)
		fold(word.entries[i]);
}

static const char good[] = "\xef\xbb\xbf"
			   "tenant,name,step,target,owner,state,from,due,instruction,result,by,note,evidence\r\n"
			   "acme,Acme,template-review,tenant,us,needs_person,,,do,ok,Ann Sato,\"looked, all \"\"14\"\"\",\r\n"
			   "basil,Basil,template-review,tenant,us,needs_person,,,do,Not-Needed,Bob,'=1+1,\r\n"
			   "basil,Basil,mx,domain:a.example,customer,needs_person,,,do,wrong,Cy,,\r\n"
			   "basil,Basil,mx,domain:b.example,customer,needs_person,,,do,,,,\r\n";

START_TEST(test_good)
{
	char *summary;

	judge(good);
	expect_problems(NULL, 0);
	ck_assert_uint_eq(sheet.n, 3);
	ck_assert_uint_eq(sheet.unanswered, 1);
	ck_assert_uint_eq(word.n, 6);
	ck_assert_str_eq(word.entries[0].tenant, "acme");
	ck_assert_ptr_nonnull(strstr(word.entries[0].data, "\"by\":\"Ann Sato\",\"note\":\"looked, all \\\"14\\\"\""));
	ck_assert_ptr_nonnull(strstr(word.entries[0].data, "\"sheet\":{\"path\":\"" PATH "\",\"sha256\":\""));
	ck_assert_ptr_nonnull(strstr(word.entries[0].data, sheet.sha256));
	ck_assert_ptr_nonnull(strstr(word.entries[0].data, "\"line\":2"));
	ck_assert_ptr_nonnull(strstr(word.entries[2].data, "\"note\":\"=1+1\"")); /* without its guard */
	summary = sheet_summary(&word);
	ck_assert_str_eq(summary, "3 taken (ok 1, wrong 1, not-needed 1)");
	free(summary);
	write_it();
	ck_assert_int_eq(rows_find(&rows, "acme", "template-review", "tenant")->state, STEP_CONFIRMED);
	ck_assert_int_eq(rows_find(&rows, "basil", "template-review", "tenant")->state, STEP_NOT_APPLICABLE);
	ck_assert_int_eq(rows_find(&rows, "basil", "mx", "domain:a.example")->state, STEP_FAILED);
	ck_assert_int_eq(rows_find(&rows, "basil", "mx", "domain:b.example")->state, STEP_NEEDS_PERSON);
}
END_TEST

/* Again: nothing. One more row answered: that one. Another word about what was said: refused. */
START_TEST(test_again)
{
	const char *const confirmed[] = { "line 2 (acme template-review tenant): acme template-review tenant is confirmed: it was "
					  "confirmed already; `cutover run` verifies it again" };
	char *more = str_fmt("%sbasil,,mx,domain:b.example,,,,,,ok,Dee,,\r\n", good), *other = str_dup(good);

	judge(good);
	write_it();
	judge(good);
	expect_problems(NULL, 0);
	ck_assert_uint_eq(word.n, 0);
	ck_assert_uint_eq(word.same, 3);
	judge(more);
	expect_problems(NULL, 0);
	ck_assert_uint_eq(word.n, 2);
	ck_assert_uint_eq(word.same, 3);
	memcpy(strstr(other, "Ann"), "Eva", 3);
	judge(other);
	expect_problems(confirmed, 1);
	free(more);
	free(other);
}
END_TEST

/* All that is wrong is told, each with its line, and nothing is to be written. */
START_TEST(test_every_problem)
{
	const char *const wanted[] = {
		"line 3 (basil template-review): its result is none of ok, wrong, not-needed",
		"line 4 (basil mx): it has a note or evidence, but no result",
		"line 5: it names no tenant",
		"line 6 (basil mx domain:a.example): who says so? `by` is empty",
		"line 7 (amce mx): there is no tenant 'amce' in the state file, did you mean 'acme'?",
		"line 8 (basil mx): mx of basil has several targets, say which with --target: domain:a.example (needs_person), "
		"domain:b.example (needs_person)",
		"line 9 (acme template-review tenant): it is about the same as line 2",
		"line 10 (basil mx domain:b.example): cannot read /tmp/sheets/nowhere.png: No such file or directory",
	};

	judge("by,evidence,note,result,target,step,tenant\n"
	      "Ann,,,ok,,template-review,acme\n"
	      "Ann,,,okay,,template-review,basil\n"
	      "Ann,,seen,,,mx,basil\n"
	      "Ann,,,ok,,mx,\n"
	      ",,,ok,domain:a.example,mx,basil\n"
	      "Ann,,,ok,,mx,amce\n"
	      "Ann,,,ok,,mx,basil\n"
	      "Ann,,,ok,tenant,template-review,acme\n"
	      "Ann,nowhere.png,,ok,domain:b.example,mx,basil\n");
	ck_assert_uint_eq(problems.n, ARRAY_LEN(wanted));
	for (size_t i = 0; i + 1 < ARRAY_LEN(wanted); i++)
		ck_assert_str_eq(problems.at[i], wanted[i]);
	ck_assert_ptr_nonnull(strstr(problems.at[7], "nowhere.png"));
	ck_assert_uint_eq(word.n, 0);
}
END_TEST

START_TEST(test_no_sheet)
{
	static const struct {
		const char *text, *says;
	} table[] = {
		{ "", "it is empty" },
		{ "\n\n", "it is empty" },
		{ "tenant,step,result\nacme,mx,ok\n", "line 1: the column \"by\" is missing" },
		{ "tenant;step;result;by\n", "not separated by commas" },
		{ "tenant,step,result,by,notes\n", "line 1: there is no column \"notes\", did you mean \"note\"?" },
		{ "tenant,step,result,by,by\n", "line 1: the column \"by\" is there twice" },
		{ "tenant,step,result,by\nacme,mx,ok,\"Ann\n", "line 2: the quote that opens here is never closed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		ck_assert_int_eq(read_text(table[i].text, NULL), E_INVAL);
		ck_assert_msg(strstr(err.text, table[i].says) != NULL, "'%s' is not in '%s'", table[i].says, err.text);
	}
	/* One name for all; trailing empty cells may be left off, columns without a name too. */
	ck_assert_int_eq(read_text("tenant,step,result,,note\nacme,template-review,ok\n", "Ann"), 0);
	ck_assert_str_eq(sheet.at[0].by, "Ann");
	ck_assert_uint_eq(sheet.n, 1);
}
END_TEST

/* Beside the sheet, read once and kept; the same sheet counts as the same when the original is gone. */
START_TEST(test_evidence)
{
	char folder[] = "/tmp/sheet-XXXXXX", *path, *picture, sha256[SHA256_HEX_MAX];
	static const char text[] = "tenant,step,result,by,evidence\nacme,template-review,ok,Ann,proof.png\n";
	struct confirm who = { .os_user = "ops" };

	ck_assert_ptr_nonnull(mkdtemp(folder));
	path = str_fmt("%s/s.csv", folder);
	picture = str_fmt("%s/proof.png", folder);
	ck_assert_int_eq(file_write(picture, 0600, "a picture", 9, NULL), 0);
	ck_assert_int_eq(sheet_read(path, text, strlen(text), &who, &sheet, &problems, &err), 0);
	sheet_judge(&rows, sheet.at, sheet.n, NOW, &word, &problems);
	expect_problems(NULL, 0);
	ck_assert_uint_eq(word.blobs[0].len, 9);
	ck_assert_ptr_nonnull(strstr(word.entries[0].data, sha256_hex("a picture", 9, sha256)));
	write_it();
	sheet_word_release(&word);
	ck_assert_int_eq(file_write(picture, 0600, "another", 7, NULL), 0);
	sheet_judge(&rows, sheet.at, sheet.n, NOW, &word, &problems);
	ck_assert_uint_eq(problems.n, 1); /* it is not what was said */
	sheet_word_release(&word);
	sheet_problems_release(&problems);
	unlink(picture);
	sheet_judge(&rows, sheet.at, sheet.n, NOW, &word, &problems);
	expect_problems(NULL, 0);
	ck_assert_uint_eq(word.same, 1);
	rmdir(folder);
	free(path);
	free(picture);
}
END_TEST

/* Through the control socket nothing is lost. */
START_TEST(test_json)
{
	struct confirm *back;
	json_t *request;
	size_t n;

	ck_assert_int_eq(read_text(good, NULL), 0);
	request = sheet_to_json(sheet.at, sheet.n);
	ck_assert_int_eq(sheet_from_json(request, &back, &n, &err), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(back[2].target, "domain:a.example");
	ck_assert_int_eq(back[2].result, CONFIRM_WRONG);
	ck_assert_int_eq(back[2].sheet_line, 4);
	ck_assert_str_eq(back[2].sheet_path, PATH);
	ck_assert_str_eq(back[0].note, "looked, all \"14\"");
	ck_assert_ptr_null(back[2].note);
	free(back);
	json_object_set_new(json_array_get(json_object_get(request, "rows"), 1), "by", json_true());
	ck_assert_int_eq(sheet_from_json(request, &back, &n, &err), E_INVAL);
	json_object_set_new(request, "rows", json_integer(1));
	ck_assert_int_eq(sheet_from_json(request, &back, &n, &err), E_INVAL);
	json_decref(request);
}
END_TEST

/* More problems than anybody reads are counted. */
START_TEST(test_many_problems)
{
	struct buf text = BUF_INIT;

	buf_adds(&text, "tenant,step,result,by\n");
	for (int i = 0; i < SHEET_PROBLEMS_MAX + 50; i++)
		buf_adds(&text, "acme,mx,no,Ann\n");
	ck_assert_int_eq(read_text(buf_str(&text), NULL), 0);
	ck_assert_uint_eq(problems.n, SHEET_PROBLEMS_MAX);
	ck_assert_uint_eq(problems.more, 50);
	buf_release(&text);
}
END_TEST

#define SHEET_CASE(test)                                                                                               \
	do {                                                                                                           \
		TCase *tc_ = tcase_create(#test);                                                                      \
		tcase_add_checked_fixture(tc_, setup, teardown);                                                       \
		tcase_set_timeout(tc_, 300);                                                                           \
		tcase_add_test(tc_, test);                                                                             \
		suite_add_tcase(s, tc_);                                                                               \
	} while (0)

SUITE(sheet)
{
	SHEET_CASE(test_good);
	SHEET_CASE(test_again);
	SHEET_CASE(test_every_problem);
	SHEET_CASE(test_no_sheet);
	SHEET_CASE(test_evidence);
	SHEET_CASE(test_json);
	SHEET_CASE(test_many_problems);
}
