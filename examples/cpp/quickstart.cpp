// Creates a channel, prints the publish URL, waits for a stream, and prints the
// status of the channel.
//
//   c++ -std=c++17 quickstart.cpp $(pkg-config --cflags --libs osslive) -o quickstart
//   ./quickstart [CHANNEL]
//
// Region, endpoint, bucket and access key come from OSS_REGION,
// OSS_ENDPOINT, OSS_BUCKET, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.

#include <osslive.hpp>

#include <iostream>

using namespace std::chrono_literals;

int main(int argc, char **argv) try {
  const std::string channel = argc > 1 ? argv[1] : "quickstart";

  osslive::Config config;
  config.load_env = true;
  const osslive::Client client(config);

  client.put_channel(channel, {"Quickstart"});
  std::cout << "publish to " << client.get_rtmp_url(channel) << std::endl;

  std::cout << client.wait_until_live(channel, 2min) << '\n';
} catch (const osslive::Error &error) {
  std::cerr << error.what() << '\n';
  return 1;
}
