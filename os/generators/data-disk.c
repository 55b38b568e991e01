/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * systemd generator: which disk is /var on? Where any disk has a partition labelled "pinwheel-external-data", there;
 * else on the partition that systemd-repart makes behind the slots of the boot disk.
 *
 * A generator, because the answer decides which units there are, and must be known before any of them starts. It asks the
 * kernel (sysfs), not udev, which does not run yet: disks whose driver the initrd has loaded are seen.
 * Interface: systemd.generator(7); argument 2 is the directory that takes precedence over the image's own units.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL "pinwheel-external-data"
#define DEVICE "/dev/disk/by-partlabel/" LABEL

static bool has_label(const char *block_device) {
    char path[320], line[256];
    bool found = false;
    snprintf(path, sizeof path, "/sys/class/block/%s/uevent", block_device);
    FILE *uevent = fopen(path, "re");
    while (uevent && fgets(line, sizeof line, uevent))
        found = found || strcmp(line, "PARTNAME=" LABEL "\n") == 0;
    if (uevent)
        fclose(uevent);
    return found;
}

static bool external_data_exists(void) {
    DIR *blocks = opendir("/sys/class/block");
    bool found = false;
    for (struct dirent *entry; !found && blocks && (entry = readdir(blocks));)
        found = has_label(entry->d_name);
    if (blocks)
        closedir(blocks);
    return found;
}

int main(int count, char **arguments) {
    if (count != 4 || chdir(arguments[2]) < 0)
        return 1;
    if (!external_data_exists())
        return 0;
    mkdir("var.mount.d", 0755);
    FILE *drop_in = fopen("var.mount.d/10-external.conf", "we");
    bool written = drop_in && fputs("[Unit]\nRequires=pinwheel-data-format.service\nAfter=pinwheel-data-format.service\n"
                                    "[Mount]\nWhat=" DEVICE "\n", drop_in) >= 0;
    written = drop_in && fclose(drop_in) == 0 && written;
    return written && symlink("/dev/null", "systemd-repart.service") == 0 ? 0 : 1;
}
