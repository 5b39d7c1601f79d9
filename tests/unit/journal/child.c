#include "child.h"

#include "tests/lib/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void child_start(struct child *c, int (*fn)(void *arg), void *arg)
{
	int words[2], hold[2];

	ck_assert_int_eq(pipe(words), 0);
	ck_assert_int_eq(pipe(hold), 0);
	c->pid = fork();
	ck_assert_int_ge(c->pid, 0);
	if (c->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(words[1], 1);
		dup2(hold[0], 0);
		close(words[0]);
		close(words[1]);
		close(hold[0]);
		close(hold[1]);
		_exit(fn(arg));
	}
	close(words[1]);
	close(hold[0]);
	c->from = words[0];
	c->to = hold[1];
}

int child_byte(struct child *c)
{
	unsigned char byte;
	ssize_t n;

	do
		n = read(c->from, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? byte : -1;
}

static int finish(struct child *c)
{
	int status = -1;

	close(c->to);
	ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
	return status;
}

int child_kill(struct child *c)
{
	ck_assert_int_eq(kill(c->pid, SIGKILL), 0);
	return finish(c);
}

int child_end(struct child *c)
{
	int status = finish(c);

	close(c->from);
	return status;
}

void child_wait(void)
{
	char byte;

	while (read(0, &byte, 1) > 0)
		continue;
}
