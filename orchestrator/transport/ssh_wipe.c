#include "transport/ssh_wipe.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* libssh2 lives with NULL, and what it asks for may come from a host: no abort here. */
LIBSSH2_ALLOC_FUNC(ssh_wipe_alloc)
{
	(void)abstract;
	return malloc(count);
}

LIBSSH2_FREE_FUNC(ssh_wipe_free)
{
	(void)abstract;
	if (ptr)
		explicit_bzero(ptr, malloc_usable_size(ptr));
	free(ptr);
}

/* realloc would leave the old bytes behind where it moves them. */
LIBSSH2_REALLOC_FUNC(ssh_wipe_realloc)
{
	size_t old = ptr ? malloc_usable_size(ptr) : 0;
	void *grown = malloc(count);

	if (!grown)
		return NULL;
	if (ptr)
		memcpy(grown, ptr, old < count ? old : count);
	ssh_wipe_free(ptr, abstract);
	return grown;
}
