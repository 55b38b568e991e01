/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * systemd generator: what is /var on? Where any disk has a partition labelled "pinwheel-external-data", on that; else on
 * the partition that systemd-repart makes behind the slots of the boot disk. Where a TPM is, a new partition is made an
 * encrypted one, also in the place of an empty one that has a disk for itself; all else stays what it is.
 *
 * A generator, because the answer decides which units there are, and must be known before any of them starts. It asks the
 * kernel (sysfs, and the partition's first bytes), not udev, which does not run yet: disks whose driver the initrd has
 * loaded are seen. It only chooses: what is chosen are the files of /usr/lib/pinwheel/data-disk, linked to where systemd
 * looks for drop-ins. Interface: systemd.generator(7); argument 2 is the directory that takes precedence over the image's
 * own units.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXTERNAL "pinwheel-external-data"
#define INTERNAL "pinwheel-data"
#define CHOICES "/usr/lib/pinwheel/data-disk/"
#define UNITS "/usr/lib/systemd/system/"
#define TPM "/sys/class/tpmrm/tpmrm0" /* the kernel has this class for TPM 2.0 only */

/* No superblock that blkid knows begins later, but those at a partition's end, which a new disk does not have either. */
#define LOOKED_AT (1 << 20)

enum content { BLANK, ENCRYPTED, OTHER };

static bool has_label(const char *block_device, const char *label) {
    char path[320], line[256], wanted[64];
    bool found = false;
    snprintf(path, sizeof path, "/sys/class/block/%s/uevent", block_device);
    snprintf(wanted, sizeof wanted, "PARTNAME=%s\n", label);
    FILE *uevent = fopen(path, "re");
    while (uevent && fgets(line, sizeof line, uevent))
        found = found || strcmp(line, wanted) == 0;
    if (uevent)
        fclose(uevent);
    return found;
}

static bool find_partition(const char *label, char name[NAME_MAX + 1]) {
    DIR *blocks = opendir("/sys/class/block");
    bool found = false;
    for (struct dirent *entry; !found && blocks && (entry = readdir(blocks));)
        if ((found = has_label(entry->d_name, label)))
            snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
    if (blocks)
        closedir(blocks);
    return found;
}

static enum content content_of(const char *partition) {
    static char start[LOOKED_AT];
    char path[320];
    ssize_t got = 0;
    snprintf(path, sizeof path, "/dev/%s", partition);
    int device = open(path, O_RDONLY | O_CLOEXEC);
    if (device >= 0) {
        got = read(device, start, sizeof start);
        close(device);
    }
    if (got < 8) /* what cannot be read is touched by nobody */
        return OTHER;
    if (memcmp(start, "LUKS\xba\xbe", 6) == 0)
        return ENCRYPTED;
    return start[0] == 0 && memcmp(start, start + 1, (size_t)got - 1) == 0 ? BLANK : OTHER;
}

/* The disk that a partition is on: sysfs has it as the directory above. */
static bool disk_of(const char *partition, char disk[NAME_MAX + 1]) {
    char path[320], target[PATH_MAX];
    snprintf(path, sizeof path, "/sys/class/block/%s", partition);
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return false;
    target[length] = '\0';
    char *end = strrchr(target, '/');
    if (!end)
        return false;
    *end = '\0';
    char *start = strrchr(target, '/');
    return start && snprintf(disk, NAME_MAX + 1, "%s", start + 1) > 0;
}

/* Whether this is the only partition of its disk: systemd-repart makes a new table for the one that it encrypts. */
static bool is_alone(const char *partition, const char *disk) {
    DIR *blocks = opendir("/sys/class/block");
    char other[NAME_MAX + 1];
    bool alone = blocks != NULL;
    for (struct dirent *entry; alone && (entry = readdir(blocks));)
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, partition) != 0)
            alone = !disk_of(entry->d_name, other) || strcmp(other, disk) != 0;
    if (blocks)
        closedir(blocks);
    return alone;
}

/* Link directory/name in the generator's output to a file of the image. */
static bool choose(const char *directory, const char *name, const char *file) {
    char path[640];
    mkdir(directory, 0755);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return symlink(file, path) == 0;
}

static bool mount_encrypted(const char *device) {
    return choose("var.mount.d", "20-encrypted.conf", CHOICES "var-encrypted.conf") &&
           choose("pinwheel-data-open.service.d", "10-device.conf", device);
}

/* A TPM's machine has nothing but its own data partition opened before the key is asked for: see pinwheel-data-open. */
static bool mount_plain(bool tpm) {
    return !tpm || choose("var.mount.requires", "pinwheel-data-plain.service", UNITS "pinwheel-data-plain.service");
}

static bool use_external(const char *partition, bool tpm) {
    enum content content = content_of(partition);
    char disk[NAME_MAX + 1], unit[NAME_MAX + 64];
    if (symlink("/dev/null", "systemd-repart.service") < 0)
        return false;
    if (content == ENCRYPTED)
        return mount_encrypted(CHOICES "open-external.conf");
    if (content == BLANK && tpm && disk_of(partition, disk) && is_alone(partition, disk)) {
        snprintf(unit, sizeof unit, "pinwheel-data-encrypt@%s.service", disk);
        return mount_encrypted(CHOICES "open-external.conf") &&
               choose("pinwheel-data-open.service.requires", unit, UNITS "pinwheel-data-encrypt@.service");
    }
    return choose("var.mount.d", "10-external.conf", CHOICES "var-external.conf") && mount_plain(tpm);
}

static bool use_internal(bool exists, const char *partition, bool tpm) {
    if (exists && content_of(partition) == ENCRYPTED)
        return mount_encrypted(CHOICES "open-system.conf");
    if (!exists && tpm)
        return mount_encrypted(CHOICES "open-system.conf") &&
               choose("systemd-repart.service.d", "10-encrypt.conf", CHOICES "repart-encrypt.conf");
    return mount_plain(tpm);
}

int main(int count, char **arguments) {
    char partition[NAME_MAX + 1];
    if (count != 4 || chdir(arguments[2]) < 0)
        return 1;
    bool tpm = access(TPM, F_OK) == 0;
    bool external = find_partition(EXTERNAL, partition);
    bool done = external ? use_external(partition, tpm)
                         : use_internal(find_partition(INTERNAL, partition), partition, tpm);
    return done ? 0 : 1;
}
