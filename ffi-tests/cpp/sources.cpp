// Creates a client from the arguments, and prints "url URL" or "error
// MESSAGE": see sources.c.

#include <osslive.hpp>

#include <iostream>

namespace {

void apply(osslive::Config &config, const std::string &argument) {
  const auto at = argument.find('=');
  const auto name = argument.substr(0, at);
  const auto value = at == std::string::npos ? std::string() : argument.substr(at + 1);
  if (name == "region") config.region = value;
  if (name == "endpoint") config.endpoint = value;
  if (name == "bucket") config.bucket = value;
  if (name == "key") config.credentials = osslive::Credentials{value, "s"};
  if (name == "profile") config.profile = osslive::Profile{value, "default"};
  if (name == "default profile") config.profile = osslive::Profile{};
  if (name == "internal") config.internal = true;
  if (name == "environment") config.load_env = true;
}

} // namespace

int main(int argc, char **argv) try {
  osslive::Config config;
  for (int at = 1; at < argc; at++) apply(config, argv[at]);
  const auto url = osslive::Client(config).get_rtmp_url("c");
  std::cout << "url " << url << '\n';
} catch (const osslive::Error &error) {
  std::cout << "error " << error.what() << '\n';
}
