// The log callback in C++: replaced while other threads log, from inside
// itself, and while the process ends.

#include <osslive.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using osslive::Client;
using osslive::LogLevel;
using osslive::Status;

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      std::cerr << __FILE__ << ':' << __LINE__ << ": failed: " #condition "\n"; \
      std::_Exit(1);                                                              \
    }                                                                             \
  } while (0)

Client from_env() {
  osslive::Config config;
  config.load_env = true;
  config.proxy = "";
  return Client(config);
}

// Threads that log until it is destroyed.
class Callers {
 public:
  explicit Callers(const Client &client) {
    for (int i = 0; i < 4; i++)
      threads_.emplace_back([this, &client] {
        while (!is_over_) client.is_channel_live("on-air");
      });
  }

  ~Callers() {
    is_over_ = true;
    for (auto &thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> is_over_{false};
  std::vector<std::thread> threads_;
};

// Everything that a replaced callback owns is freed, and no longer used.
void a_callback_is_replaced_while_others_log(const Client &client) {
  const Callers callers(client);
  for (int i = 0; i < 200; i++) {
    auto lines = std::make_shared<std::vector<std::string>>();
    const std::weak_ptr<std::vector<std::string>> kept = lines;
    auto lock = std::make_shared<std::mutex>();
    osslive::set_log_callback([lines, lock](LogLevel, const std::string &line) {
      const std::lock_guard<std::mutex> guard(*lock);
      lines->push_back(line);
    });
    lines.reset();
    client.is_channel_live("on-air");
    osslive::set_log_callback({});
    CHECK(kept.expired());
  }
}

// A callback cannot be replaced from inside itself, whatever other threads do: the
// call throws, and there is no deadlock.
void a_callback_cannot_replace_itself(const Client &client) {
  std::atomic<int> refused{0};
  std::atomic<bool> is_over{false};
  const auto replace_inside = [&](LogLevel, const std::string &) {
    try {
      osslive::set_log_callback({});
    } catch (const osslive::Error &error) {
      CHECK(error.status() == Status::invalid_argument);
      refused++;
    }
    std::this_thread::sleep_for(1ms);
  };
  std::thread other([&] {
    while (!is_over) osslive::set_log_callback(replace_inside);
  });
  {
    const Callers callers(client);
    while (refused < 200) std::this_thread::sleep_for(1ms);
  }
  is_over = true;
  other.join();
  osslive::set_log_callback({});
}

void replacing_from_many_threads_keeps_the_last(const Client &client) {
  std::vector<std::thread> threads;
  const Callers callers(client);
  for (int i = 0; i < 4; i++)
    threads.emplace_back([] {
      for (int j = 0; j < 100; j++)
        osslive::set_log_callback([text = std::string(100, 'x')](LogLevel, const std::string &line) {
          CHECK(text[line.size() % 100] == 'x');
        });
    });
  for (auto &thread : threads) thread.join();
  std::atomic<int> received{0};
  osslive::set_log_callback([&](LogLevel, const std::string &) { received++; });
  client.is_channel_live("on-air");
  osslive::set_log_callback({});
  CHECK(received > 0);
}

// The process ends while threads call and log.
[[noreturn]] void the_process_exits_during_calls() {
  // Never destroyed, because the threads run until the process exits.
  static auto &client = *new Client(from_env());
  static auto &received = *new std::atomic<int>{0};
  osslive::set_log_callback([text = std::string(200, 'x')](LogLevel, const std::string &line) {
    CHECK(text[line.size() % 200] == 'x');
    received++;
  });
  for (int i = 0; i < 8; i++)
    std::thread([] {
      for (;;) client.is_channel_live("on-air");
    }).detach();
  while (received < 8) std::this_thread::sleep_for(1ms);
  std::exit(0);
}

// Constructed first, so destroyed last: gives threads time to log after all other
// statics are destroyed.
struct Moment {
  ~Moment() { std::this_thread::sleep_for(50ms); }
};
static Moment last_moment;

int main(int argc, char **argv) {
  if (argc > 1 && std::string(argv[1]) == "exit") the_process_exits_during_calls();
  const Client client = from_env();
  a_callback_is_replaced_while_others_log(client);
  a_callback_cannot_replace_itself(client);
  replacing_from_many_threads_keeps_the_last(client);
}
