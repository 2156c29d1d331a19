// The typed results: results of calls, parsed into the types of osslive_json.hpp.

#include <osslive_json.hpp>
#include <osslive_json.hpp>

#include <cstdlib>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;
namespace typed = osslive::typed;
using osslive::ChannelConfig;
using osslive::Client;

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      std::cerr << __FILE__ << ':' << __LINE__ << ": failed: " #condition "\n"; \
      std::exit(1);                                                             \
    }                                                                           \
  } while (0)

Client client() {
  osslive::Config config;
  config.load_env = true;
  config.proxy = "";
  return Client(config);
}

void one_channel(const Client &client) {
  ChannelConfig config{"Typed"};
  config.frag_duration = 2s;
  const auto urls = typed::channel_urls(client.put_channel("typed", config));
  CHECK(urls.publish_urls.size() == 1 && urls.publish_urls[0].find("rtmp://") == 0);
  CHECK(urls.res.status == 200 && urls.res.attempts == 1 && urls.res.elapsed_ms > 0);
  CHECK(urls.res.request_id && !urls.res.request_id->empty());

  const auto channel = typed::channel(client.get_channel("typed"));
  CHECK(channel.name == "typed" && channel.description == "Typed" && channel.type == "HLS");
  CHECK(channel.status == typed::ChannelState::enabled && channel.frag_duration == 2);
  CHECK(channel.last_modified && !channel.create_time);
  const auto age = std::chrono::system_clock::now() - *channel.last_modified;
  CHECK(age > -1min && age < 10min);

  const auto page = typed::channel_list(client.list_channels("", "", 1));
  CHECK(page.channels.size() == 1 && page.is_truncated && page.next_marker == page.channels[0].name);
  CHECK(!typed::channel_list(client.list_channels()).next_marker);

  const auto to = typed::publish_url(client.get_publish_url("typed", 60s));
  CHECK(to.url == to.server + '/' + to.stream_key && to.stream_key.find("typed?") == 0);
  const auto lifetime = to.expires_at - std::chrono::system_clock::now();
  CHECK(lifetime > 30s && lifetime < 70s);

  osslive::Diagnose options;
  options.id = "typed";
  const auto diagnosis = typed::diagnosis(client.diagnose(options));
  CHECK(diagnosis.problems == 0 && diagnosis.checks.size() > 40 && diagnosis.elapsed_ms < 10000);
  CHECK(diagnosis.checks[0].id == typed::CheckId::settings);
  CHECK(diagnosis.checks[0].verdict == typed::Verdict::ok && !diagnosis.checks[0].advice);

  const auto idle = typed::channel_status(client.get_channel_status("typed"));
  CHECK(idle.status == typed::StreamState::idle && !idle.video && !idle.connected_time);
  CHECK(typed::done(client.delete_channel("typed")).res.status == 204);
}

void a_live_channel_is_read(const Client &client) {
  const auto live = typed::channel_status(client.get_channel_status("on-air"));
  CHECK(live.status == typed::StreamState::live && live.connected_time && live.remote_addr);
  CHECK(live.video && live.video->width == 320 && live.video->codec == "H264");
  CHECK(live.audio && live.audio->sample_rate > 0);

  const auto history = typed::channel_history(client.get_channel_history("on-air"));
  CHECK(history.records.size() == 1);
  CHECK(history.records[0].start_time <= history.records[0].end_time);
  CHECK(history.records[0].end_time <= *live.connected_time);

  const auto week = typed::history_analysis(client.analyze_history("on-air", 7));
  CHECK(week.session_count == 1 && week.sessions.size() == 1 && week.gaps.empty());
  CHECK(week.longest_session && week.longest_session->duration_minutes >= 0);
  CHECK(week.end_time - week.start_time == 7 * 24h);
}

void many_channels(const Client &client) {
  const auto sweep = typed::sweep(client.monitor_channels({"on-air", "missing"}));
  CHECK(sweep.total == 2 && sweep.live.size() == 1 && sweep.failed.size() == 1);
  CHECK(sweep.live[0].id == "on-air" && sweep.live[0].video);
  const auto &error = sweep.failed[0].error;
  CHECK(error.kind == typed::ErrorKind::service && error.code == "NoSuchLiveChannel");
  CHECK(error.status == 404 && error.text.find("NoSuchLiveChannel: ") == 0);

  const auto put = typed::put_results(client.put_channels({{"fine", {"Fine"}}, {"a/b", {"No"}}}));
  CHECK(put.total == 2 && put.failed == 1);
  CHECK(put.results[0].publish_urls && put.results[0].res && !put.results[0].error);
  CHECK(!put.results[1].publish_urls && put.results[1].error->kind ==
                                            typed::ErrorKind::invalid_argument);

  const auto cut = typed::highlight_results(client.create_highlights("on-air", {{"all"}}));
  CHECK(cut.total == 1 && cut.results[0].playlist == "all.m3u8");

  osslive::ChannelMonitor monitor(client, {"on-air"});
  const auto changes = typed::changes(*monitor.next_changes()).changes;
  CHECK(changes.size() == 1 && changes[0].change == typed::ChangeKind::went_live);
  CHECK(changes[0].remote_addr && !changes[0].from && !changes[0].error);
  CHECK(typed::sweep(monitor.last_sweep()).live.size() == 1);
}

// Values that do not occur above: other kinds of change, and those of a newer library.
void unknown_values_are_read() {
  const auto changes = typed::changes(R"({"changes": [
      {"id": "a", "time": "2026-11-22T08:16:38.25Z", "change": "frameRateFell", "from": 30, "to": 9},
      {"id": "b", "time": "2000-02-29T00:00:00Z", "change": "newPublisher", "from": "1", "to": "2"},
      {"id": "c", "time": "1970-01-01T00:00:00Z", "change": "exploded", "crater": 7}
  ]})").changes;
  CHECK(std::get<std::uint32_t>(*changes[0].to) == 9);
  CHECK(std::get<std::string>(*changes[1].from) == "1");
  CHECK(changes[2].change == typed::ChangeKind::unknown);
  CHECK(changes[0].time == osslive::Time(1795335398250ms));
  CHECK(changes[1].time == osslive::Time(951782400s));
  CHECK(changes[2].time == osslive::Time());
}

void invalid_results_are_rejected() {
  for (const char *text : {"", "nonsense", "[]", "{}", R"({"status": 1, "res": {}})",
                           R"({"changes": [{"id": "a", "time": "now", "change": "failing"}]})"}) {
    int refused = 0;
    for (const auto read : {+[](const char *it) { typed::channel_status(it); },
                            +[](const char *it) { typed::changes(it); }}) {
      try {
        read(text);
      } catch (const osslive::Error &error) {
        refused += error.status() == osslive::Status::bad_reply;
      }
    }
    CHECK(refused == 2);
  }
}

int main() {
  const Client shared = client();
  one_channel(shared);
  a_live_channel_is_read(shared);
  many_channels(shared);
  unknown_values_are_read();
  invalid_results_are_rejected();
}
