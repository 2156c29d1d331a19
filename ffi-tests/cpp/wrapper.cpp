// The C++ wrapper: every call, exceptions, moves. It never names the C
// interface.

#include <osslive.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>
#include <type_traits>

using namespace std::chrono_literals;
using osslive::ChannelConfig;
using osslive::ChannelStatus;
using osslive::Client;
using osslive::Config;
using osslive::Error;
using osslive::Status;

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      std::cerr << __FILE__ << ':' << __LINE__ << ": failed: " #condition "\n"; \
      std::exit(1);                                                               \
    }                                                                             \
  } while (0)

// Returns the error that a call throws.
template <typename Call>
Error thrown(Call call) {
  try {
    call();
  } catch (const Error &error) {
    return error;
  }
  std::cerr << "nothing was thrown\n";
  std::exit(1);
}

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

Config from_env() {
  Config config;
  config.load_env = true;
  config.proxy = "";
  return config;
}

void every_call_succeeds(const Client &client) {
  ChannelConfig config{"Main stage"};
  config.description = "直播";
  config.frag_duration = 2s;
  config.frag_count = 4;
  config.playlist_name = "main.m3u8";
  CHECK(has(client.create_channel("wrapped", config), "\"publishUrls\":[\"rtmp://"));
  CHECK(has(client.put_channel("wrapped", config), "\"playUrls\":[\"http"));
  CHECK(has(client.get_channel("wrapped"), "\"description\":\"直播\""));
  CHECK(has(client.get_channel("wrapped"), "\"fragDuration\":2,\"fragCount\":4"));
  CHECK(has(client.list_channels(), "\"name\":\"wrapped\""));
  CHECK(has(client.list_channels("wra", "", 1), "\"isTruncated\":false"));
  CHECK(has(client.get_channel_status("on-air"), "{\"status\":\"Live\""));
  CHECK(client.is_channel_live("on-air") && !client.is_channel_live("wrapped"));
  CHECK(has(client.wait_until_live("on-air", 10s), "\"status\":\"Live\""));
  CHECK(has(client.wait_until_idle("wrapped", 10s), "\"status\":\"Idle\""));
  client.wait_until_deleted("never-created", 10s);
  const Error timed_out = thrown([&] { client.wait_until_live("wrapped", 1ms); });
  CHECK(timed_out.status() == Status::timeout && timed_out.code() == "WaitTimedOut");
  osslive::Diagnose everything;
  everything.id = "on-air";
  CHECK(has(client.diagnose(everything), "{\"id\":\"channel-live\",\"verdict\":\"ok\""));
  std::size_t checks = 0;
  const auto stopped = client.diagnose({}, [&](std::size_t, std::size_t) { return ++checks < 3; });
  CHECK(checks == 3 && has(stopped, "stopped before"));
  CHECK(has(client.get_channel_history("on-air"), "{\"records\":[{"));
  const auto now = std::chrono::system_clock::now();
  CHECK(has(client.create_vod("on-air", "vod", now - 1h, now + 1min), "\"status\":200"));
  CHECK(has(client.get_vod("on-air", now - 1h, now + 1min), "#EXTM3U"));
  client.put_channel_status("wrapped", ChannelStatus::disabled);
  CHECK(has(client.get_channel("wrapped"), "\"status\":\"disabled\""));
  client.put_channel_status("wrapped", ChannelStatus::enabled);
  client.delete_channel("wrapped");
  CHECK(has(client.get_rtmp_url("wrapped"), "Signature="));
  CHECK(has(client.get_publish_url("wrapped"), "\"streamKey\":\"wrapped?"));
  CHECK(has(client.get_rtmp_url("wrapped", 60s, {{"playlistName", "late.m3u8"}}),
            "playlistName=late.m3u8"));
  CHECK(has(client.get_play_url("wrapped", 60s), "/wrapped/playlist.m3u8?"));
  CHECK(has(client.get_play_url("wrapped", 1min, "late.m3u8"), "/wrapped/late.m3u8?"));
  CHECK(!osslive::version().empty());
}

void failures_are_exceptions_with_their_details(const Client &client) {
  const Error refused = thrown([&] { client.get_channel("nobody"); });
  CHECK(refused.status() == Status::service && refused.code() == "NoSuchLiveChannel");
  CHECK(refused.http_status() == 404 && !refused.request_id().empty());
  CHECK(has(refused.what(), refused.request_id()));
  try {
    client.get_channel("");
    CHECK(false);
  } catch (const std::exception &error) {
    CHECK(has(error.what(), "the channel name is empty"));
  }
  const Error bad = thrown([&] { client.get_channel("\xff"); });
  CHECK(bad.status() == Status::invalid_argument && bad.code().empty());
  CHECK(!bad.http_status() && bad.request_id().empty() && bad.ec().empty());
  CHECK(thrown([&] { client.get_channel(std::string("a\0b", 3)); }).status() ==
        Status::invalid_argument);
  CHECK(thrown([&] { client.get_rtmp_url("a", -1s); }).status() == Status::invalid_argument);
  CHECK(thrown([&] { client.with_timeout(0ms); }).status() == Status::invalid_argument);
  CHECK(thrown([] { Client client{Config{}}; }).status() == Status::credentials);
  Config unfinished;
  unfinished.credentials = {"id", "secret"};
  CHECK(thrown([&] { Client client(unfinished); }).status() == Status::config);
  Config silent = from_env();
  silent.endpoint = std::getenv("SILENT_ENDPOINT");
  silent.timeout = 100ms;
  CHECK(thrown([&] { Client(silent).get_channel("a"); }).status() == Status::timeout);
}

void batch_operations_work(const Client &client) {
  ChannelConfig bad{"Bad"};
  bad.frag_duration = 0s;
  const auto put = client.put_channels({{"many-1", {"One"}}, {"many-2", bad}});
  CHECK(has(put, "{\"results\":[{\"id\":\"many-1\",\"publishUrls\":[\"rtmp://"));
  CHECK(has(put, "{\"id\":\"many-2\",\"error\":{\"kind\":\"invalidArgument\""));
  CHECK(has(put, "],\"failed\":1,\"total\":2}"));

  std::vector<std::pair<std::size_t, std::size_t>> heard;
  osslive::SweepOptions options;
  options.max_parallel = 2;
  options.rate = 1000;
  options.time_limit = 20s;
  const auto sweep = client.monitor_channels({"on-air", "many-1", "nobody"}, options,
                                             [&](std::size_t done, std::size_t total) {
                                               heard.emplace_back(done, total);
                                               return true;
                                             });
  CHECK(has(sweep, "{\"live\":[{\"id\":\"on-air\""));
  CHECK(has(sweep, "\"code\":\"NoSuchLiveChannel\"") && has(sweep, "\"total\":3}"));
  CHECK(heard.size() == 3 && heard.back() == std::make_pair(std::size_t{3}, std::size_t{3}));
  CHECK(has(client.monitor_channels({}), "\"total\":0}"));
  std::string each;
  client.sweep_channels({"on-air", "nobody"}, [&](const std::string &json) {
    each += json;
    return true;
  });
  CHECK(has(each, "{\"id\":\"on-air\",\"status\":\"Live\""));
  CHECK(has(each, "{\"id\":\"nobody\",\"error\":{\"kind\":\"service\""));

  CHECK(has(client.analyze_history("on-air", 7), "\"sessionCount\":1,"));
  const auto now = std::chrono::system_clock::now();
  osslive::Highlight hour{"hour"};
  hour.start = now - 1h;
  hour.end = now + 1min;
  osslive::Highlight never{"never", 24h, 25h};
  osslive::Highlight other{"other", 0ms, -1ms};
  other.session = now - 24h;
  const auto cut = client.create_highlights("on-air", {hour, never, other});
  CHECK(has(cut, "{\"results\":[{\"name\":\"hour\",\"playlist\":\"hour.m3u8\",\"start\":\"20"));
  CHECK(has(cut, "],\"failed\":2,\"total\":3}"));
}

void a_recording_is_downloaded(const Client &client) {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("osslive-wrapper-" + std::to_string(std::random_device()()));
  std::filesystem::create_directory(folder);
  const auto path = (folder / "show.ts").string();
  osslive::Download hour;
  hour.last = 1h;
  const auto stopped = thrown([&] {
    client.download_recording("on-air", path, hour, [](auto, auto) { return false; });
  });
  CHECK(stopped.status() == Status::stopped);
  std::size_t bytes = 0;
  const auto done = client.download_recording("on-air", path, hour, [&](auto at, auto) {
    bytes = at;
    return true;
  });
  CHECK(bytes > 0 && has(done, "\"bytes\":" + std::to_string(bytes) + ","));
  CHECK(thrown([&] { client.download_recording("on-air", path); }).status() == Status::file);
  osslive::Download half;
  half.end = std::chrono::system_clock::now();
  CHECK(thrown([&] { client.download_recording("on-air", path, half); }).status() ==
        Status::invalid_argument);
  std::filesystem::remove_all(folder);
}

void invalid_batch_operations_throw(const Client &client) {
  const auto refused = [](auto call) { return thrown(call).status() == Status::invalid_argument; };
  osslive::SweepOptions options;
  options.max_parallel = 0;
  CHECK(refused([&] { client.monitor_channels({"a"}, options); }));
  CHECK(refused([&] { client.put_channels({{"a", {}}}, options); }));
  CHECK(refused([&] { client.monitor_channels({"a", "\xff"}); }));
  CHECK(refused([&] { client.sweep_channels({"a"}, nullptr); }));
  CHECK(refused([&] { client.monitor_channels({std::string("a\0b", 3)}); }));
  CHECK(refused([&] { client.analyze_history("a", 0); }));
  osslive::Highlight half{"half"};
  half.start = std::chrono::system_clock::now();
  CHECK(refused([&] { client.create_highlights("on-air", {half}); }));
  CHECK(thrown([&] { client.create_highlights("nobody", {}); }).code() == "NoSuchLiveChannel");
  osslive::MonitorOptions monitor;
  monitor.interval = 0ms;
  CHECK(refused([&] { osslive::ChannelMonitor(client, {"a"}, monitor); }));
}

void a_progress_callback_stops_by_its_result_and_by_throwing(const Client &client) {
  std::vector<std::string> ids;
  for (int i = 0; i < 40; i++) ids.push_back("nobody-" + std::to_string(i));
  osslive::SweepOptions options;
  options.max_parallel = 1;
  options.rate = 100;
  int heard = 0;
  const auto sweep = client.monitor_channels(ids, options, [&](std::size_t, std::size_t) {
    heard++;
    return false;
  });
  CHECK(heard == 1 && has(sweep, "\"kind\":\"stopped\""));
  try {
    client.monitor_channels(ids, options, [&](std::size_t, std::size_t) -> bool {
      heard++;
      throw std::runtime_error("enough");
    });
    CHECK(false);
  } catch (const std::runtime_error &error) {
    CHECK(std::string(error.what()) == "enough" && heard == 2);
  }
  CHECK(thrown([&] { client.sweep_channels(ids, [](const std::string &) { return false; }, options); })
            .status() == Status::stopped);
  try {
    const auto on_status = [](const std::string &) -> bool { throw std::runtime_error("enough"); };
    client.sweep_channels(ids, on_status, options);
    CHECK(false);
  } catch (const std::runtime_error &error) {
    CHECK(std::string(error.what()) == "enough");
  }
}

void a_monitor_moves_and_is_stopped_from_another_thread(const Client &client) {
  using osslive::ChannelMonitor;
  static_assert(!std::is_copy_constructible_v<ChannelMonitor>);
  static_assert(std::is_nothrow_move_constructible_v<ChannelMonitor>);
  osslive::MonitorOptions options;
  options.interval = 20ms;
  options.min_bandwidth = 1 << 30;
  ChannelMonitor first(client, {"on-air", "nobody"}, options);
  ChannelMonitor monitor(std::move(first));
  CHECK(has(monitor.last_sweep(), "\"total\":0}"));
  const auto changes = monitor.next_changes();
  CHECK(changes && has(*changes, "\"change\":\"wentLive\""));
  CHECK(has(*changes, "\"change\":\"bandwidthLow\"") && has(*changes, "\"change\":\"gone\""));
  CHECK(monitor.next_changes() == "{\"changes\":[]}");
  CHECK(has(monitor.last_sweep(), "{\"live\":[{\"id\":\"on-air\""));
  CHECK(thrown([&] { first.next_changes(); }).status() == Status::invalid_argument);

  options.interval = 1h;
  monitor = ChannelMonitor(client, {"on-air"}, options);
  CHECK(monitor.next_changes());
  std::thread stopper([&] { monitor.stop(); });
  CHECK(!monitor.next_changes());
  stopper.join();
  CHECK(!monitor.next_changes());
}

void clients_move_and_are_not_copied() {
  static_assert(!std::is_copy_constructible_v<Client> && !std::is_copy_assignable_v<Client>);
  static_assert(std::is_nothrow_move_constructible_v<Client>);
  static_assert(std::is_nothrow_move_assignable_v<Client>);
  Client first(from_env());
  Client second(std::move(first));
  CHECK(first.get() == nullptr && second.is_channel_live("on-air"));
  first = second.with_timeout(20s);
  CHECK(first.is_channel_live("on-air"));
  second = std::move(first);
  CHECK(second.is_channel_live("on-air"));
  // A moved-from client is rejected, and does not crash.
  CHECK(thrown([&] { first.is_channel_live("on-air"); }).status() == Status::invalid_argument);
}

void threads_share_a_client_while_its_key_changes(const Client &client) {
  std::atomic<int> running{4};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&] {
      for (int j = 0; j < 25; j++) CHECK(client.is_channel_live("on-air"));
      running--;
    });
  while (running > 0) {
    client.set_credentials({std::getenv("TEMPORARY_ID"), std::getenv("TEMPORARY_SECRET"),
                            std::getenv("TEMPORARY_TOKEN")});
    client.set_credentials(
        {std::getenv("OSS_ACCESS_KEY_ID"), std::getenv("OSS_ACCESS_KEY_SECRET")});
  }
  for (auto &thread : threads) thread.join();
}

void the_log_accepts_any_callable(const Client &client) {
  std::vector<std::string> lines;
  osslive::set_log_callback([&](osslive::LogLevel, const std::string &line) {
    lines.push_back(line);
    throw std::runtime_error("dropped");
  });
  client.is_channel_live("on-air");
  osslive::set_log_callback({});
  client.is_channel_live("on-air");
  CHECK(lines.size() == 1 && has(lines[0], "GET /on-air?live&comp=stat"));
}

void every_option_is_accepted() {
  Config config;
  config.region = "cn-hangzhou";
  config.bucket = "my-bucket";
  config.credentials = {"id", "secret", "token"};
  config.internal = true;
  config.secure = false;
  config.addressing_style = osslive::AddressingStyle::virtual_hosted;
  config.signature_version = 1;
  config.connect_timeout = 1s;
  config.pool_size = 1;
  config.proxy = "http://127.0.0.1:1";
  config.user_agent = "MyEncoder/2.1";
  config.sign_security_token = false;
  const Client client(config);
  CHECK(has(client.get_play_url("a", 60s),
            "http://my-bucket.oss-cn-hangzhou-internal.aliyuncs.com/a/"));
  CHECK(has(client.get_rtmp_url("a"), "security-token=token"));
  config.root_certificates = "no certificate";
  CHECK(thrown([&] { Client refused(config); }).status() == Status::config);
}

void credentials_come_from_sources() {
  const auto environment = [](const char *name) { return std::string(std::getenv(name)); };
  Config config = from_env();
  config.load_env = false;
  config.endpoint = environment("OSS_ENDPOINT");
  config.region = "cn-hangzhou";
  config.bucket = environment("OSS_BUCKET");
  const auto fails = [&](const std::string &why) {
    const Error error = thrown([&] { Client(config).get_channel("on-air"); });
    return has(error.what(), "no credentials from " + why);
  };
  config.load_default_credentials = true;
  CHECK(has(Client(config).get_channel("on-air"), "on-air"));
  config.load_default_credentials = false;
  config.credential_process = "printf '{\"AccessKeyId\": \"" + environment("OSS_ACCESS_KEY_ID") +
                              "\", \"AccessKeySecret\": \"" +
                              environment("OSS_ACCESS_KEY_SECRET") + "\"}'";
  CHECK(has(Client(config).get_channel("on-air"), "on-air"));
  config.credential_process = "false";
  CHECK(fails("the command false"));
  config.credential_process = std::nullopt;
  config.credentials_uri = "http://127.0.0.1:1/";
  CHECK(fails("the credentials URI at 127.0.0.1:1"));
  config.credentials_uri = std::nullopt;
  config.oidc_role = {"acs:ram::1:role/live", "provider", "/nowhere/token"};
  CHECK(fails("the role acs:ram::1:role/live via OIDC"));
  config.oidc_role = std::nullopt;
  setenv("OSSLIVE_ECS_METADATA_ENDPOINT", "http://127.0.0.1:1", 1);
  config.ecs_role = osslive::EcsRole{"live"};
  CHECK(fails("the ECS role live"));
}

int main() {
  const Client client(from_env());
  every_call_succeeds(client);
  failures_are_exceptions_with_their_details(client);
  batch_operations_work(client);
  a_recording_is_downloaded(client);
  invalid_batch_operations_throw(client);
  a_progress_callback_stops_by_its_result_and_by_throwing(client);
  a_monitor_moves_and_is_stopped_from_another_thread(client);
  clients_move_and_are_not_copied();
  threads_share_a_client_while_its_key_changes(client);
  the_log_accepts_any_callable(client);
  every_option_is_accepted();
  credentials_come_from_sources();
}
