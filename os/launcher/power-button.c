// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * power-button: ask systemd to power off when the machine's power button is pressed.
 *
 * That is logind's work elsewhere; a node has neither logind nor D-Bus. Every input device that has a power key is watched
 * (evdev, linux/input.h); the first press sends SIGRTMIN+4 to PID 1, which starts poweroff.target (systemd(1), "Signals"),
 * and ends this program.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/input.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_DIRECTORY "/dev/input"
#define BITS_PER_LONG (8 * sizeof(unsigned long))

/* watched[0] is inotify's; a real machine has two or three power keys */
static struct pollfd watched[32];
static nfds_t count;

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int has_power_key(int device)
{
    unsigned long keys[KEY_MAX / BITS_PER_LONG + 1] = {0};
    return ioctl(device, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
           (keys[KEY_POWER / BITS_PER_LONG] >> (KEY_POWER % BITS_PER_LONG) & 1);
}

/* Open anew what there is now: devices come and go rarely, and a closed one must not keep its place. */
static void open_devices(void)
{
    while (count > 1)
        close(watched[--count].fd);
    glob_t found;
    if (glob(INPUT_DIRECTORY "/event*", 0, NULL, &found))
        return; // none yet
    for (size_t i = 0; i < found.gl_pathc && count < sizeof(watched) / sizeof(watched[0]); i++) {
        int device = open(found.gl_pathv[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (device < 0)
            continue; // gone again, or not ready: its next change is seen too
        if (has_power_key(device))
            watched[count++] = (struct pollfd){.fd = device, .events = POLLIN};
        else
            close(device);
    }
    globfree(&found);
}

static int was_pressed(int device)
{
    struct input_event event;
    while (read(device, &event, sizeof(event)) == sizeof(event))
        if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1)
            return 1;
    return 0;
}

int main(void)
{
    if (mkdir(INPUT_DIRECTORY, 0755) && errno != EEXIST) // the kernel makes it with the first device
        fail("power-button: " INPUT_DIRECTORY);
    watched[0] = (struct pollfd){.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .events = POLLIN};
    if (inotify_add_watch(watched[0].fd, INPUT_DIRECTORY, IN_CREATE | IN_DELETE | IN_ATTRIB) < 0)
        fail("power-button: watching " INPUT_DIRECTORY);
    count = 1;
    open_devices();
    while (poll(watched, count, -1) > 0 || errno == EINTR) {
        for (nfds_t i = 1; i < count; i++)
            if (watched[i].revents && was_pressed(watched[i].fd)) {
                puts("power button pressed: asking systemd to power off");
                if (kill(1, SIGRTMIN + 4))
                    fail("power-button: cannot signal PID 1");
                return EXIT_SUCCESS;
            }
        char changes[4096];
        if (watched[0].revents && read(watched[0].fd, changes, sizeof(changes)) > 0)
            open_devices();
    }
    fail("power-button: poll");
}
