#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/op.h"

#include <signal.h>

START_TEST(test_defaults)
{
	struct op op;

	op_init(&op, OP_EXEC);
	ck_assert_int_eq(op.kind, OP_EXEC);
	ck_assert_int_eq(op.timeout_ms, OP_TIMEOUT_DEFAULT_MS);
	ck_assert_uint_eq(op.max_out_bytes, OP_OUT_MAX_DEFAULT);
	ck_assert(!op.elevated);
	ck_assert_int_eq(op.args_n, 0);
	ck_assert_str_eq(op.expect_sha256, "");
	op_release(&op);
}
END_TEST

START_TEST(test_owns_copies)
{
	char arg[] = "first";
	struct op op;

	op_init(&op, OP_RUN);
	op_arg(&op, arg);
	arg[0] = 'X';
	op_argf(&op, "%d/%s", 7, "two words");
	op_arg(&op, "");
	ck_assert_int_eq(op.args_n, 3);
	ck_assert_str_eq(op.args[0], "first");
	ck_assert_str_eq(op.args[1], "7/two words");
	ck_assert_str_eq(op.args[2], "");
	op.path = str_dup("/etc/x");
	op.command = str_dup("true");
	op.backup = str_dup("x.old");
	buf_adds(&op.input, "secret");
	op_release(&op);
	ck_assert_int_eq(op.args_n, 0);
	ck_assert_ptr_null(op.path);
	ck_assert_ptr_null(op.input.data);
	op_release(&op); /* again does nothing */
}
END_TEST

START_TEST(test_as_many_args_as_allowed)
{
	struct op op;

	op_init(&op, OP_RUN);
	for (int i = 0; i < OP_ARGS_MAX; i++)
		op_argf(&op, "%d", i);
	ck_assert_str_eq(op.args[OP_ARGS_MAX - 1], "15");
	op_release(&op);
}
END_TEST

START_TEST(test_one_arg_too_many_aborts)
{
	struct op op;

	op_init(&op, OP_RUN);
	for (int i = 0; i <= OP_ARGS_MAX; i++)
		op_arg(&op, "x");
}
END_TEST

START_TEST(test_result)
{
	struct op_result result = { 0 };

	buf_adds(&result.out, "out");
	buf_adds(&result.err, "err");
	result.file.real_path = str_dup("/x");
	result.file.owner = str_dup("root");
	result.file.group = str_dup("root");
	result.exit_code = 3;
	op_result_release(&result);
	ck_assert_ptr_null(result.out.data);
	ck_assert_ptr_null(result.file.owner);
	ck_assert_int_eq(result.exit_code, 0);
}
END_TEST

SUITE(op)
{
	TCase *tc = tcase_create("test_one_arg_too_many_aborts");

	TEST_CASE(s, test_defaults);
	TEST_CASE(s, test_owns_copies);
	TEST_CASE(s, test_as_many_args_as_allowed);
	TEST_CASE(s, test_result);
	tcase_add_test_raise_signal(tc, test_one_arg_too_many_aborts, SIGABRT);
	suite_add_tcase(s, tc);
}
