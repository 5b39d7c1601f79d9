#include "tests/unit/agents/ruby_host.h"

static char config[] = CONFIG, owner[] = "sync";

const struct step *observe(const char *name)
{
	return row(agent_ruby_client.observe, name);
}

const struct step *apply(const char *name)
{
	return row(agent_ruby_client.apply, name);
}

const struct step *restore(void)
{
	return row(agent_ruby_client.restore, "schedule-on");
}

const struct step *verify(const char *name)
{
	return row(agent_ruby_client.verify, name);
}

void see(const char *text, const char *table)
{
	facts_release(&rec.now);
	rec.file = (struct op_file){
		.real_path = config, .mode = 0640, .owner = owner, .group = owner, .links = 1
	};
	is(answer_frames(observe("find"), 0,
			 frames("folder", FOLDER, "real", FOLDER, "script", "imhs-ws-client.rb", "owner", "sync",
				"complete", "yes", NULL)),
	   VERDICT_OK, "");
	is(answer(observe("read"), 0, 0, 0, text, ""), VERDICT_OK, "");
	is(answer_frames(observe("schedule"), 0,
			 table ? frames("kind", "user", "name", "crontab:sync", "user", "sync", "path", SPOOL, "bytes",
					table, NULL)
			       : frames(NULL)),
	   VERDICT_OK, "");
	is(answer_frames(observe("running"), 0, frames(NULL)), VERDICT_OK, "");
	is(answer_frames(observe("ruby"), 0, frames("ruby", "/usr/bin/ruby", "version", "ruby 3.1", NULL)), VERDICT_OK,
	   "");
}

void installs(const struct op *op, const char *from, const char *to)
{
	char sha[SHA256_HEX_MAX];

	runs_script(op, "cron-install.sh", true, 2);
	ck_assert_str_eq(op->args[0], SPOOL);
	ck_assert_str_eq(op->args[1], sha256_hex(from, strlen(from), sha));
	ck_assert_str_eq(buf_str(&op->input), to);
}
