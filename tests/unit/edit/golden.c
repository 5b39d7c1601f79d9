#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>

uint64_t golden_seed = 1;

unsigned golden_random(unsigned below)
{
	golden_seed ^= golden_seed << 13;
	golden_seed ^= golden_seed >> 7;
	golden_seed ^= golden_seed << 17;
	return (unsigned)((golden_seed >> 11) % below);
}

struct buf golden_read(const char *name, const char *ending)
{
	char *path = str_fmt("%s%s", name, ending);
	struct buf bytes = BUF_INIT;
	struct err err = { 0 };

	ck_assert_msg(file_read(path, 1 << 20, &bytes, &err) == 0, "%s", err.text);
	free(path);
	return bytes;
}

int golden_each(const char *folder, const char *ending, void (*each)(const char *name, const struct buf *in))
{
	char *root = str_fmt(SOURCE_DIR "/tests/golden/edit/%s", folder);
	DIR *dir = opendir(root);
	struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name), tail = strlen(ending);

		if (len <= tail || strcmp(entry->d_name + len - tail, ending) != 0)
			continue;
		char *name = str_fmt("%s/%.*s", root, (int)(len - tail), entry->d_name);
		struct buf in = golden_read(name, ending);

		each(name, &in);
		buf_release(&in);
		free(name);
		n++;
	}
	closedir(dir);
	free(root);
	return n;
}

void golden_same(const char *name, const char *ending, const void *bytes, size_t len)
{
	struct buf want = golden_read(name, ending);

	ck_assert_msg(buf_equals(&want, bytes, len), "%s%s: wanted\n%s\ngot\n%.*s", name, ending, buf_str(&want),
		      (int)len, (const char *)bytes);
	buf_release(&want);
}
