#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/list.h"

struct item {
	int n;
	struct list node;
};

static int pop(struct list *head)
{
	struct list *node = list_pop(head);

	return node ? CONTAINER_OF(node, struct item, node)->n : -1;
}

START_TEST(test_order)
{
	struct item items[3] = { { .n = 0 }, { .n = 1 }, { .n = 2 } };
	struct list head;

	list_init(&head);
	ck_assert(list_empty(&head));
	ck_assert_int_eq(pop(&head), -1);
	for (int i = 0; i < 3; i++) {
		ck_assert(!list_linked(&items[i].node));
		list_append(&head, &items[i].node);
		ck_assert(list_linked(&items[i].node));
	}
	ck_assert(!list_empty(&head));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pop(&head), i);
	ck_assert(list_empty(&head));
	ck_assert(!list_linked(&items[1].node));
}
END_TEST

START_TEST(test_remove)
{
	struct item items[3] = { { .n = 0 }, { .n = 1 }, { .n = 2 } };
	struct list head;

	list_init(&head);
	for (int i = 0; i < 3; i++)
		list_append(&head, &items[i].node);
	list_remove(&items[1].node);
	list_remove(&items[1].node); /* does nothing */
	ck_assert_int_eq(pop(&head), 0);
	list_append(&head, &items[1].node);
	ck_assert_int_eq(pop(&head), 2);
	ck_assert_int_eq(pop(&head), 1);
	ck_assert(list_empty(&head));
}
END_TEST

SUITE(list)
{
	TEST_CASE(s, test_order);
	TEST_CASE(s, test_remove);
}
