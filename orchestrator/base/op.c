#include "base/op.h"

#include "base/alloc.h"

void op_init(struct op *op, enum op_kind kind)
{
	*op = (struct op){ .kind = kind, .timeout_ms = OP_TIMEOUT_DEFAULT_MS, .max_out_bytes = OP_OUT_MAX_DEFAULT };
}

void op_release(struct op *op)
{
	for (int i = 0; i < op->args_n; i++)
		free(op->args[i]);
	buf_release_secret(&op->input);
	free(op->command);
	free(op->path);
	free(op->backup);
	free(op->url);
	free(op->account);
	free(op->secret);
	buf_release_secret(&op->password);
	free(op->via);
	free(op->trust_file);
	free(op->server);
	free(op->hello);
	free(op->mail_from);
	free(op->rcpt_to);
	*op = (struct op){ .kind = op->kind };
}

void op_arg(struct op *op, const char *arg)
{
	if (op->args_n == OP_ARGS_MAX)
		abort();
	op->args[op->args_n++] = str_dup(arg);
}

void op_argf(struct op *op, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list args;

	va_start(args, fmt);
	buf_vaddf(&text, fmt, args);
	va_end(args);
	op_arg(op, buf_str(&text));
	buf_release(&text);
}

void op_result_release(struct op_result *result)
{
	buf_release(&result->out);
	buf_release(&result->err);
	free(result->file.real_path);
	free(result->file.owner);
	free(result->file.group);
	*result = (struct op_result){ 0 };
}
