/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The initrd's only program: find the root partition that the signed command line names by its hash, have the kernel
 * verify every block of it (dm-verity), and hand over to systemd there.
 *
 * It does this and nothing else, because all that is here is loaded by the firmware before anything runs: with systemd
 * and udev in its place the initrd is 7 MB instead of 1 MB (docs/decisions). It takes no options, reads no files but the
 * initrd's own, and has no shell to fall to: when it fails it says why on the console and exits. The kernel then panics
 * and, as the command line says, reboots; the boot loader counts that as a failed try.
 *
 * The data partition's UUID is the first half of the root hash, the hash partition's the second half (Discoverable
 * Partitions Specification). Superblock: https://gitlab.com/cryptsetup/cryptsetup/-/wikis/DMVerity
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/dm-ioctl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT_WAIT_SECONDS 60
#define POLL_MICROSECONDS 20000
#define HASH_HEX 64 /* SHA-256 */
#define SECTOR 512
#define DEVICE_PATH 264 /* "/dev/" and a name of at most 255 bytes */

struct verity_superblock {
    char signature[8];
    uint32_t version, hash_type;
    uint8_t uuid[16];
    char algorithm[32];
    uint32_t data_block_size, hash_block_size;
    uint64_t data_blocks;
    uint16_t salt_size;
    uint8_t padding[6];
    uint8_t salt[256];
} __attribute__((packed));

static void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("pinwheel: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static _Noreturn void fail(const char *what, const char *detail) {
    say("cannot boot: %s: %s", what, detail);
    exit(EXIT_FAILURE); /* PID 1's exit is a kernel panic, and panic= a reboot */
}

static void mount_or_fail(const char *source, const char *target, const char *type, unsigned long flags) {
    if (mount(source, target, type, flags, NULL) < 0)
        fail(target, strerror(errno));
}

/* ---- kernel modules: lines of `/modules`, written by the build: PATTERN FILE... (dependencies first) ---- */

static void load_module(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/lib/modules/%s", name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || (syscall(SYS_finit_module, file, "", 0) < 0 && errno != EEXIST && errno != ENODEV))
        say("module %s: %s", name, strerror(errno));
    if (file >= 0)
        close(file);
}

/* Load the modules of every line whose pattern matches; "*" lines are wanted on any machine. */
static void load_matching(const char *modalias) {
    FILE *table = fopen("/modules", "re");
    char line[1024];
    while (table && fgets(line, sizeof line, table)) {
        char *rest = line, *pattern = strsep(&rest, " \n");
        bool unconditional = strcmp(pattern, "*") == 0;
        if (modalias ? (unconditional || fnmatch(pattern, modalias, 0)) : !unconditional)
            continue;
        for (char *name; (name = strsep(&rest, " \n"));)
            if (*name)
                load_module(name);
    }
    if (table)
        fclose(table);
}

static bool read_line(const char *path, char *buffer, size_t size) {
    FILE *file = fopen(path, "re");
    bool got = file && fgets(buffer, (int)size, file);
    if (file)
        fclose(file);
    if (got)
        buffer[strcspn(buffer, "\n")] = '\0';
    return got;
}

/* Drivers for the devices of one bus that are there now and have none yet. */
static void load_drivers(const char *bus) {
    char directory[64], path[512], modalias[512];
    snprintf(directory, sizeof directory, "/sys/bus/%s/devices", bus);
    DIR *devices = opendir(directory);
    for (struct dirent *entry; devices && (entry = readdir(devices));) {
        snprintf(path, sizeof path, "%s/%s/driver", directory, entry->d_name);
        if (entry->d_name[0] == '.' || access(path, F_OK) == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s/modalias", directory, entry->d_name);
        if (read_line(path, modalias, sizeof modalias))
            load_matching(modalias);
    }
    if (devices)
        closedir(devices);
}

/* ---- partitions: GUID partition table, UEFI specification section 5.3 ---- */

struct gpt_header {
    char signature[8];
    uint8_t unused[64];
    uint64_t entries_block;
    uint32_t entry_count, entry_size;
} __attribute__((packed));

/* The text of a root hash half as the 16 bytes of a GUID on disk: its first three fields are little-endian. */
static void partition_guid(const char *hex, uint8_t guid[16]) {
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < 16; i++)
        sscanf(hex + 2 * order[i], "%2hhx", &guid[i]);
}

/* The number of the partition with this GUID on a disk, or 0. The kernel has judged the table; this only looks up. */
static unsigned partition_number(const char *disk, uint64_t block_size, const uint8_t guid[16]) {
    struct gpt_header header;
    uint8_t entry[128];
    unsigned found = 0;
    int file = open(disk, O_RDONLY | O_CLOEXEC);
    if (file >= 0 && pread(file, &header, sizeof header, (off_t)block_size) == sizeof header &&
        memcmp(header.signature, "EFI PART", 8) == 0 && le32toh(header.entry_size) >= sizeof entry)
        for (unsigned i = 0; !found && i < le32toh(header.entry_count) && i < 128; i++) {
            uint64_t at = le64toh(header.entries_block) * block_size + (uint64_t)i * le32toh(header.entry_size);
            if (pread(file, entry, sizeof entry, (off_t)at) == sizeof entry && memcmp(entry + 16, guid, 16) == 0)
                found = i + 1;
        }
    if (file >= 0)
        close(file);
    return found;
}

static bool find_partition(const uint8_t guid[16], char device[DEVICE_PATH]) {
    DIR *blocks = opendir("/sys/class/block");
    bool found = false;
    for (struct dirent *entry; !found && blocks && (entry = readdir(blocks));) {
        char path[320], line[32], disk[DEVICE_PATH];
        snprintf(path, sizeof path, "/sys/class/block/%s/queue/logical_block_size", entry->d_name);
        if (!read_line(path, line, sizeof line)) /* only whole disks have one */
            continue;
        snprintf(disk, sizeof disk, "/dev/%s", entry->d_name);
        unsigned number = partition_number(disk, strtoul(line, NULL, 10), guid);
        const char *separator = disk[strlen(disk) - 1] >= '0' && disk[strlen(disk) - 1] <= '9' ? "p" : "";
        snprintf(device, DEVICE_PATH, "%.240s%s%u", disk, separator, number);
        found = number && access(device, F_OK) == 0;
    }
    if (blocks)
        closedir(blocks);
    return found;
}

static void wait_for_partitions(const char *hash, char data[DEVICE_PATH], char tree[DEVICE_PATH]) {
    /* Paravirtual disks first: where the root is on one, nothing waits for a SATA controller without disks. */
    static const char *buses[] = {"virtio", "vmbus", "xen", "pci", "scsi"};
    uint8_t data_guid[16], tree_guid[16];
    partition_guid(hash, data_guid);
    partition_guid(hash + HASH_HEX / 2, tree_guid);
    for (long waited = 0; waited < ROOT_WAIT_SECONDS * 1000000L; waited += POLL_MICROSECONDS) {
        for (size_t i = 0; i < sizeof buses / sizeof *buses; i++) {
            load_drivers(buses[i]);
            if (find_partition(data_guid, data) && find_partition(tree_guid, tree))
                return;
        }
        usleep(POLL_MICROSECONDS);
    }
    fail("no disk has the partitions of the root with this hash", hash);
}

/* ---- dm-verity ---- */

static void device_mapper(int control, unsigned long request, struct dm_ioctl *message, const char *what) {
    message->version[0] = DM_VERSION_MAJOR;
    message->data_size = sizeof(char[4096]);
    message->data_start = sizeof *message;
    strcpy(message->name, "root");
    if (ioctl(control, request, message) < 0)
        fail(what, errno == EINVAL ? "the root does not match its signed hash" : strerror(errno));
}

static void hexadecimal(const uint8_t *bytes, size_t count, char *text) {
    for (size_t i = 0; i < count; i++)
        sprintf(text + 2 * i, "%02x", bytes[i]);
    if (!count)
        strcpy(text, "-");
}

static void read_superblock(const char *tree, struct verity_superblock *block) {
    int file = open(tree, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, block, sizeof *block) != sizeof *block)
        fail(tree, "cannot be read");
    close(file);
    /* Only the parameters that builds write are taken: what is on the disk may have been changed by anybody. */
    if (memcmp(block->signature, "verity\0\0", 8) || le32toh(block->version) != 1 || le32toh(block->hash_type) != 1 ||
        strncmp(block->algorithm, "sha256", sizeof block->algorithm) || le32toh(block->data_block_size) != 4096 ||
        le32toh(block->hash_block_size) != 4096 || le16toh(block->salt_size) > sizeof block->salt)
        fail(tree, "does not hold a dm-verity tree");
}

static void activate_verity(const char *hash, const char *data, const char *tree, char *device, size_t size) {
    struct verity_superblock block;
    read_superblock(tree, &block);
    char salt[2 * sizeof block.salt + 1];
    hexadecimal(block.salt, le16toh(block.salt_size), salt);

    int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
    if (control < 0)
        fail("/dev/mapper/control", strerror(errno));
    union {
        struct dm_ioctl message;
        char space[4096];
    } buffer = {0};
    buffer.message.flags = DM_READONLY_FLAG;
    device_mapper(control, DM_DEV_CREATE, &buffer.message, "dm-verity device");

    memset(&buffer, 0, sizeof buffer);
    struct dm_target_spec *target = (struct dm_target_spec *)(buffer.space + sizeof buffer.message);
    uint64_t blocks = le64toh(block.data_blocks);
    target->length = blocks * (4096 / SECTOR);
    strcpy(target->target_type, "verity");
    char *parameters = (char *)(target + 1);
    size_t room = sizeof buffer.space - (size_t)(parameters - buffer.space);
    int used = snprintf(parameters, room, "1 %s %s 4096 4096 %llu 1 sha256 %s %s 1 panic_on_corruption", data, tree,
                        (unsigned long long)blocks, hash, salt);
    target->next = (uint32_t)(sizeof *target + (size_t)used + 1 + 7) & ~7U;
    buffer.message.target_count = 1;
    buffer.message.flags = DM_READONLY_FLAG;
    device_mapper(control, DM_TABLE_LOAD, &buffer.message, "dm-verity table");

    memset(&buffer, 0, sizeof buffer);
    device_mapper(control, DM_DEV_SUSPEND, &buffer.message, "dm-verity start"); /* without the flag: resume */
    close(control);
    snprintf(device, size, "/dev/dm-%u", (unsigned)(buffer.message.dev & 0xff)); /* devtmpfs has made it */
}

/* ---- the whole way ---- */

static const char *root_hash_of(char *command_line) {
    for (char *word; (word = strsep(&command_line, " \n"));)
        if (strncmp(word, "roothash=", 9) == 0 && strspn(word + 9, "0123456789abcdef") == HASH_HEX && !word[9 + HASH_HEX])
            return word + 9;
    fail("command line", "names no root hash");
}

/* The initrd's files would stay in memory for ever. */
static void free_initrd(const char *directory) {
    DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_type == DT_REG)
            unlink(path);
    }
    if (entries)
        closedir(entries);
}

static void switch_root(void) {
    static const char *keep[] = {"/dev", "/proc", "/sys"};
    for (size_t i = 0; i < sizeof keep / sizeof *keep; i++) {
        char target[32];
        snprintf(target, sizeof target, "/sysroot%s", keep[i]);
        mount_or_fail(keep[i], target, NULL, MS_MOVE);
    }
    free_initrd("/lib/modules");
    free_initrd("/");
    if (chdir("/sysroot") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
        fail("root", strerror(errno));
    execl("/usr/lib/systemd/systemd", "/usr/lib/systemd/systemd", NULL);
    fail("/usr/lib/systemd/systemd", strerror(errno));
}

int main(void) {
    char command_line[4096], data[DEVICE_PATH], tree[DEVICE_PATH], root[32];
    mount_or_fail("devtmpfs", "/dev", "devtmpfs", MS_NOSUID);
    mount_or_fail("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
    mount_or_fail("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC);
    if (!read_line("/proc/cmdline", command_line, sizeof command_line))
        fail("/proc/cmdline", strerror(errno));
    const char *hash = root_hash_of(command_line);
    load_matching(NULL);
    wait_for_partitions(hash, data, tree);
    activate_verity(hash, data, tree, root, sizeof root);
    mount_or_fail(root, "/sysroot", "erofs", MS_RDONLY | MS_NODEV);
    switch_root();
}
