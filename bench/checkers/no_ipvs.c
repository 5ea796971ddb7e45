/* Preloaded into keepalived where the kernel has no IPVS: its orders are taken and forgotten, so that it checks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { FIRST = 64 + 1024 + 64, LAST = FIRST + 32 }; /* IP_VS_BASE_CTL and what follows it (linux/ip_vs.h) */

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	static int (*real)(int, int, int, const void *, socklen_t);
	if (level == IPPROTO_IP && name >= FIRST && name < LAST)
		return 0;
	if (!real)
		real = dlsym(RTLD_NEXT, "setsockopt");
	return real(fd, level, name, value, length);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	static int (*real)(int, int, int, void *, socklen_t *);
	if (level == IPPROTO_IP && name >= FIRST && name < LAST) {
		unsigned answer[3] = { 0x010201, 4096, 0 }; /* version, size of its table, number of services */
		memset(value, 0, *length);
		memcpy(value, answer, *length < sizeof answer ? *length : sizeof answer);
		return 0;
	}
	if (!real)
		real = dlsym(RTLD_NEXT, "getsockopt");
	return real(fd, level, name, value, length);
}
