/* answers TCP_PORT HTTP_PORT: accepts and closes on one, answers a request and closes on the other; on every address.
 *
 * It costs as little as a server can, so that what is measured beside it on the same cores is who asks. Its answer has
 * the fields of nginx's. Ends with its parent. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ANSWER[] =
	"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
	"Content-Length: 13\r\nConnection: close\r\n\r\nHello, world!";

static int listener(int port)
{
	struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, sock = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(sock, (struct sockaddr *)&where, sizeof where) || listen(sock, 20000)) {
		perror("answers");
		exit(1);
	}
	return sock;
}

static void serve(int sock, int is_http)
{
	char request[4096];

	for (;;) {
		int peer = accept(sock, NULL, NULL);
		if (peer < 0)
			continue;
		if (is_http && read(peer, request, sizeof request) > 0 && write(peer, ANSWER, sizeof ANSWER - 1) < 0)
			perror("answers");
		close(peer);
	}
}

int main(int count, char **words)
{
	int one = 1, tcp, http;

	if (count != 3)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	tcp = listener(atoi(words[1]));
	http = listener(atoi(words[2]));
	setsockopt(http, IPPROTO_TCP, TCP_DEFER_ACCEPT, &one, sizeof one); /* accepted when the request is there */
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(tcp);
		serve(http, 1);
	}
	close(http);
	serve(tcp, 0);
}
