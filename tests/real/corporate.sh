#!/bin/sh
# Tests a corporate network: the client's machine has no route to the service, only
# to Squid with authentication and its distribution's rules, and the service's
# certificate is from a private authority. The command, a C program and the Python
# package each create and list a channel from there.
#
#   tests/real/corporate.sh OSSLIVE LIBRARY_PREFIX PYTHON
#
# OSSLIVE is the command; LIBRARY_PREFIX has the C library, installed by `make
# install`; PYTHON has the package. It needs root, for network namespaces.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
osslive=$1 prefix=$2 python=$3

skipped() {
  echo "skipped: the corporate network ($1)"
  [ -z "${CI:-}" ] || [ "${2:-}" = kernel ] || exit 1
  exit 0
}

if [ -z "${OSSLIVE_CORPORATE:-}" ]; then
  [ "$(id -u)" = 0 ] || skipped 'network namespaces need root'
  for program in /usr/sbin/squid ip nsenter openssl gcc; do
    command -v "$program" >/dev/null || skipped "$program is not installed"
  done
  unshare -n true 2>/dev/null || skipped 'this kernel or container allows no network namespaces' kernel
  OSSLIVE_CORPORATE=$(mktemp -d)
  export OSSLIVE_CORPORATE
  status=0
  unshare -n "$0" "$@" || status=$?
  [ $status = 0 ] || tail -n 20 "$OSSLIVE_CORPORATE"/*.log
  rm -rf "$OSSLIVE_CORPORATE"
  exit $status
fi

# From here on in a separate network, which is removed with its last process.
work=$OSSLIVE_CORPORATE
cd "$work"
chmod 755 "$work"
mkdir -m 777 squid
pids=
end() { for pid in $pids; do kill "$pid" 2>/dev/null || :; done; wait; }
trap end EXIT

# until_it SECONDS COMMAND...: waits until the command succeeds.
until_it() {
  tries=$(($1 * 10))
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "timed out: $*"; exit 1; }
    sleep 0.1
  done
}

network() {
  ip link set lo up
  ip address add 10.10.0.1/32 dev lo
  unshare -n sleep 600 &
  client=$!
  pids="$pids $client"
  until_it 5 sh -c "[ \$(readlink /proc/$client/ns/net) != $(readlink /proc/self/ns/net) ]"
  ip link add office type veth peer name desk netns "$client"
  ip address add 10.9.0.1/24 dev office
  ip link set office up
  at_the_desk ip address add 10.9.0.2/24 dev desk
  at_the_desk ip link set desk up
  at_the_desk ip link set lo up
}

at_the_desk() { nsenter --net="/proc/$client/ns/net" "$@"; }

certificates() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 \
    -subj '/CN=A private authority' 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -keyout site.key -out site.csr \
    -subj '/CN=oss.corp.example' 2>/dev/null
  printf 'subjectAltName=DNS:oss.corp.example,DNS:*.oss.corp.example\n' >names
  openssl x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
    -extfile names -out site.pem 2>/dev/null
}

# The service behind nginx with TLS. Nginx also listens on port 80.
service() {
  "$osslive" local --temporary --domain oss.corp.example >endpoint.log 2>&1 &
  pids="$pids $!"
  cat >nginx.conf <<END
daemon off;
pid $work/nginx.pid;
error_log $work/nginx-error.log;
events {}
http {
  access_log off;
  client_body_temp_path $work/body;
  server {
    listen 10.10.0.1:80;
    listen 10.10.0.1:443 ssl;
    ssl_certificate $work/site.pem;
    ssl_certificate_key $work/site.key;
    location / { proxy_pass http://127.0.0.1:9000; proxy_set_header Host \$host; }
  }
}
END
  nginx -c "$work/nginx.conf" >nginx.log 2>&1 &
  pids="$pids $!"
  until_it 20 grep -q '^listening on' endpoint.log
  until_it 20 test -s nginx.pid
}

# Squid with its default rules, and in the place for local rules a rule that
# requires a password.
proxy() {
  printf '10.10.0.1 oss.corp.example live-demo.oss.corp.example\n' >hosts
  printf 'clerk:%s\n' "$(openssl passwd -apr1 'p:ss w@rd')" >passwords
  cat >office.conf <<END
auth_param basic program /usr/lib/squid/basic_ncsa_auth $work/passwords
acl office src 10.9.0.0/24
acl known proxy_auth REQUIRED
http_access allow office known
END
  sed -e "s|^include /etc/squid/conf.d/.*|include $work/office.conf|" \
    -e "s|^http_port .*|http_port 10.9.0.1:3128|" \
    -e "s|^coredump_dir .*|coredump_dir $work/squid|" /etc/squid/squid.conf >squid.conf
  cat >>squid.conf <<END
hosts_file $work/hosts
pid_filename none
access_log stdio:$work/squid/access.log
cache_log $work/squid/cache.log
END
  /usr/sbin/squid -N -f "$work/squid.conf" >squid.log 2>&1 &
  pids="$pids $!"
  until_it 30 grep -q 'Accepting HTTP' squid/cache.log
}

PROXY=http://clerk:p%3Ass%20w%40rd@10.9.0.1:3128

# request [NAME=VALUE...] COMMAND...: runs a program on the client's machine.
request() {
  at_the_desk env -i PATH="$PATH" HOME="$work" OSS_REGION=cn-hangzhou OSS_BUCKET=live-demo \
    OSS_ENDPOINT=https://oss.corp.example OSS_ACCESS_KEY_ID=osslive-local \
    OSS_ACCESS_KEY_SECRET=osslive-local-secret LD_LIBRARY_PATH="$prefix/lib" "$@"
}

# fails STATUS TEXT COMMAND...: checks the exit status and the message.
fails() {
  wanted=$1 words=$2
  shift 2
  status=0
  request "$@" >output.log 2>&1 || status=$?
  [ $status = "$wanted" ] || { echo "status $status: $*"; cat output.log; exit 1; }
  grep -q "$words" output.log || { echo "no $words: $*"; cat output.log; exit 1; }
  ! grep -q 'w@rd\|w%40rd' output.log || { echo "the output contains the password: $*"; exit 1; }
}

lists() {
  name=$1
  shift
  request "$@" >output.log 2>&1 || { echo "failed: $*"; cat output.log; exit 1; }
  grep -q "$name" output.log || { echo "no $name: $*"; cat output.log; exit 1; }
  echo "ok: $name"
}

programs() {
  cat >desk.c <<'END'
#include <osslive.h>
#include <stdio.h>
int main(void) {
  osslive_config *config = osslive_config_new();
  osslive_channel_config *channel = NULL;
  osslive_client *client = NULL;
  osslive_error *error = NULL;
  char *urls = NULL, *list = NULL;
  if (osslive_config_load_env(config, &error) || osslive_client_new(config, &client, &error) ||
      osslive_channel_config_new("C", &channel, &error) ||
      osslive_put_channel(client, "from-c", channel, &urls, &error) ||
      osslive_list_channels(client, NULL, NULL, 0, &list, &error)) {
    fprintf(stderr, "%s\n", osslive_error_message(error));
    return 1;
  }
  puts(list);
  return 0;
}
END
  gcc -Wall -Werror -I"$prefix/include" desk.c -L"$prefix/lib" -losslive -o desk
  cat >desk.py <<'END'
import osslive

with osslive.Client.from_env() as client:
    client.put_channel("from-python", osslive.ChannelConfig("Python"))
    print([channel.name for channel in client.channels()])
END
}

network
certificates
service
proxy
programs

fails 7 'oss.corp.example' "$osslive" channel list
fails 7 '407' https_proxy=http://10.9.0.1:3128 SSL_CERT_FILE=ca.pem "$osslive" channel list
fails 7 '407' https_proxy=http://clerk:wrong-w%40rd@10.9.0.1:3128 SSL_CERT_FILE=ca.pem \
  "$osslive" channel list
fails 7 'certificate' https_proxy=$PROXY "$osslive" channel list
request https_proxy=$PROXY SSL_CERT_FILE=ca.pem "$osslive" channel put from-command >/dev/null
lists from-command https_proxy=$PROXY SSL_CERT_FILE=ca.pem "$osslive" channel list
lists from-command https_proxy=$PROXY "$osslive" --ca-file ca.pem channel list
lists from-c https_proxy=$PROXY SSL_CERT_FILE=ca.pem ./desk
lists from-python https_proxy=$PROXY SSL_CERT_FILE=ca.pem "$python" desk.py
# Plain HTTP requests have absolute URLs: Squid's rules do not allow CONNECT for them.
lists from-python OSS_ENDPOINT=http://oss.corp.example http_proxy=$PROXY "$osslive" channel list
grep -q 'CONNECT live-demo.oss.corp.example:443' squid/access.log
grep -q 'GET http://live-demo.oss.corp.example/' squid/access.log
echo 'ok: all requests went through Squid, tunneled or with absolute URLs'
