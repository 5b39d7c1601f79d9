#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "transport/ssh_spec.h"

#include <string.h>

static const char *const pins[] = {"SHA256:one", "ssh-rsa SHA256:two"};

static const struct remote_spec first = {
    .label = "bastion b1",
    .address = "192.0.2.1",
    .port = 22,
    .user = "jump",
    .key = "key of b1",
    .key_len = 9,
    .host_keys = pins,
    .host_keys_n = 1,
};

static const struct remote_spec second = {
    .label = "bastion b2",
    .address = "192.0.2.2",
    .port = 22,
    .user = "jump",
    .key = "key of b2",
    .key_len = 9,
    .host_keys = pins,
    .host_keys_n = 2,
    .password = "not-a-password",
    .via = &first,
};

/* What `change` does to `second`, and what it is then: another login, another machine? */
static void label(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->label = "acme/bastion";
	s->budgets.connect_ms = 5;
}

static void user(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->user = "other";
}

static void key(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->key_len--;
}

static void pin(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->host_keys_n = 1;
}

static void password(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->password = NULL;
}

static void address(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->address = "192.0.2.3";
}

static void port(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->port = 2222;
}

static void direct(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->via = NULL;
}

static void command(struct remote_spec *s, struct remote_spec *before)
{
	(void)before;
	s->via = NULL;
	s->via_command = "nc %h %p";
}

static void user_before(struct remote_spec *s, struct remote_spec *before)
{
	(void)s;
	before->user = "other";
}

static void address_before(struct remote_spec *s, struct remote_spec *before)
{
	(void)s;
	before->address = "192.0.2.9";
}

static const struct {
	const char *name;
	void (*change)(struct remote_spec *s, struct remote_spec *before);
	bool same_login, same_machine;
} cases[] = {
    {"label and budgets", label, true, true},
    {"user", user, false, true},
    {"key", key, false, true},
    {"pins", pin, false, true},
    {"password", password, false, true},
    {"user of the one before", user_before, false, true},
    {"address", address, false, false},
    {"port", port, false, false},
    {"not behind it", direct, false, false},
    {"through a command", command, false, false},
    {"address of the one before", address_before, false, false},
};

START_TEST(test_which_are_the_same)
{
	struct remote_spec before = first, changed = second;
	char a[SHA256_HEX_MAX], b[SHA256_HEX_MAX];

	changed.via = &before;
	cases[_i].change(&changed, &before);
	ck_assert_msg((strcmp(ssh_spec_digest(&second, a), ssh_spec_digest(&changed, b)) == 0) == cases[_i].same_login,
		      "login: %s", cases[_i].name);
	ck_assert_msg((strcmp(ssh_spec_machine(&second, a), ssh_spec_machine(&changed, b)) == 0) == cases[_i].same_machine,
		      "machine: %s", cases[_i].name);
}
END_TEST

START_TEST(test_a_copy_is_the_same_and_its_own)
{
	struct remote_spec *copy = ssh_spec_copy(&second);
	char a[SHA256_HEX_MAX], b[SHA256_HEX_MAX];

	ck_assert_str_eq(ssh_spec_digest(&second, a), ssh_spec_digest(copy, b));
	ck_assert_str_eq(ssh_spec_machine(&second, a), ssh_spec_machine(copy, b));
	ck_assert_str_eq(copy->label, second.label);
	ck_assert_ptr_ne(copy->via, second.via);
	ck_assert_ptr_ne(copy->host_keys, second.host_keys);
	ssh_spec_free(copy);
}
END_TEST

SUITE(ssh_spec)
{
	TEST_CASE_LOOP(s, test_which_are_the_same, 0, (int)ARRAY_LEN(cases));
	TEST_CASE(s, test_a_copy_is_the_same_and_its_own);
}
