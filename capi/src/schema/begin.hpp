/*
 * osslive: the results of osslive.hpp as C++ types, for programs that have
 * nlohmann/json (3.9 or later).
 *
 *     #include <osslive.hpp>
 *     #include <osslive_json.hpp>
 *
 *     namespace typed = osslive::typed;
 *
 *     typed::ChannelStatus status = typed::channel_status(client.get_channel_status("main-stage"));
 *     if (status.status == typed::StreamState::live && status.video)
 *       std::cout << status.video->width << 'x' << status.video->height << '\n';
 *
 *     for (const auto &record : typed::channel_history(client.get_channel_history("main-stage")).records)
 *       client.create_vod("main-stage", "session.m3u8", record.start_time, record.end_time);
 *
 * Each kind of result has a function that parses the JSON returned by a call, and
 * throws osslive::Error with Status::bad_reply for anything else. Members that may
 * be absent are std::optional. Enumerations have the value unknown for values from a
 * newer library; members added by a newer library are ignored.
 *
 * This header is generated from the JSON Schemas that are installed with it, in
 * share/osslive/schema.
 */

#ifndef OSSLIVE_JSON_HPP
#define OSSLIVE_JSON_HPP

#include "osslive.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace osslive {
namespace typed {

namespace detail {

/* Parses a time in the library's format: RFC 3339, in UTC. */
inline Time time_of(const std::string &text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const int found = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day,
                                &hour, &minute, &second, &used);
  /* The years that a clock in nanoseconds can represent. */
  if (found != 6 || year < 1678 || year > 2261 || text.back() != 'Z')
    throw ::osslive::Error(Status::bad_reply, "not a time in UTC: " + text);
  std::int64_t nanoseconds = 0, unit = 100000000;
  for (auto at = static_cast<std::size_t>(used) + 1; at + 1 < text.size(); at++, unit /= 10)
    nanoseconds += (text[at] - '0') * unit;
  /* The days since 1970-01-01, in years that start in March. */
  const int shifted = month > 2 ? year : year - 1;
  const int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719468;
  const auto since = std::chrono::hours(24) * days + std::chrono::hours(hour) +
                     std::chrono::minutes(minute) + std::chrono::seconds(second) +
                     std::chrono::nanoseconds(nanoseconds);
  return Time(std::chrono::duration_cast<Time::duration>(since));
}

template <typename T>
void read(const nlohmann::json &json, T &value) {
  json.get_to(value);
}

inline void read(const nlohmann::json &json, Time &value) {
  value = time_of(json.get<std::string>());
}

template <typename Number>
void read(const nlohmann::json &json, std::variant<std::string, Number> &value) {
  if (json.is_string())
    value = json.get<std::string>();
  else
    value = json.get<Number>();
}

template <typename T>
void required(const nlohmann::json &json, const char *key, T &value) {
  read(json.at(key), value);
}

template <typename T>
void optional(const nlohmann::json &json, const char *key, std::optional<T> &value) {
  const auto found = json.find(key);
  if (found == json.end())
    value.reset();
  else
    read(*found, value.emplace());
}

template <typename T>
T parse(const std::string &text) {
  try {
    return nlohmann::json::parse(text).get<T>();
  } catch (const nlohmann::json::exception &error) {
    throw ::osslive::Error(Status::bad_reply, std::string("unexpected result: ") + error.what());
  }
}

}  // namespace detail

