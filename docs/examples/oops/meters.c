// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Four meters. Each has a name, which root gives it: "echo 2 Cellar > /proc/meters". One of them is
 * read each second, in turn, and who waits for that is woken up.
 *
 * There is a bug in here, which this example is about.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define METERS 4
#define NAME_SIZE 16

struct meter {
	wait_queue_head_t *readers;	/* who waits for a reading */
	unsigned long readings;
	char name[NAME_SIZE];
};

static struct meter *meters;
static DECLARE_WAIT_QUEUE_HEAD(readers);

static void take_reading(struct work_struct *work);
static DECLARE_DELAYED_WORK(reading, take_reading);

static void take_reading(struct work_struct *work)
{
	static unsigned int turn;
	struct meter *m = &meters[turn++ % METERS];

	m->readings++;
	wake_up(m->readers);
	schedule_delayed_work(&reading, HZ);
}

/* Names go to logs: what cannot be printed becomes "\x..". */
static void set_name(struct meter *m, const char *text, size_t length)
{
	char *out = m->name;
	size_t i;

	if (length >= NAME_SIZE)
		length = NAME_SIZE - 1;
	for (i = 0; i < length; i++) {
		if (isascii(text[i]) && isprint(text[i])) {
			*out++ = text[i];
		} else {
			*out++ = '\\';
			*out++ = 'x';
			out = hex_byte_pack(out, text[i]);
		}
	}
	*out = '\0';
}

/* "NUMBER NAME" */
static ssize_t meters_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	char line[64];
	size_t length = min(size, sizeof(line) - 1);

	if (copy_from_user(line, from, length))
		return -EFAULT;
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (line[0] < '0' || line[0] >= '0' + METERS || line[1] != ' ')
		return -EINVAL;
	set_name(&meters[line[0] - '0'], line + 2, strlen(line + 2));
	return size;
}

static int meters_show(struct seq_file *seq, void *unused)
{
	unsigned int i;

	for (i = 0; i < METERS; i++)
		seq_printf(seq, "%u %s: %lu readings\n", i, meters[i].name, meters[i].readings);
	return 0;
}

static int meters_open(struct inode *inode, struct file *file)
{
	return single_open(file, meters_show, NULL);
}

static const struct proc_ops meters_ops = {
	.proc_open = meters_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = meters_write,
};

static int __init meters_init(void)
{
	unsigned int i;

	meters = kcalloc(METERS, sizeof(*meters), GFP_KERNEL);
	if (!meters)
		return -ENOMEM;
	for (i = 0; i < METERS; i++) {
		meters[i].readers = &readers;
		set_name(&meters[i], "unnamed", 7);
	}
	if (!proc_create("meters", 0600, NULL, &meters_ops)) {
		kfree(meters);
		return -ENOMEM;
	}
	schedule_delayed_work(&reading, HZ);
	return 0;
}
module_init(meters_init);

MODULE_DESCRIPTION("Meters that are read in turn");
MODULE_LICENSE("GPL");
