// Prints the contents of a status, or the error, for any response:
// "WIDTH HEIGHT connected", "WIDTH HEIGHT no time" or "error MESSAGE".

#include <osslive_json.hpp>

#include <iostream>

int main() try {
  osslive::Config config;
  config.load_env = true;
  config.proxy = "";
  const auto text = osslive::Client(config).get_channel_status("cam");
  const auto status = osslive::typed::channel_status(text);
  if (status.video) std::cout << status.video->width << ' ' << status.video->height << ' ';
  std::cout << (status.connected_time ? "connected" : "no time") << '\n';
} catch (const osslive::Error &error) {
  std::cout << "error " << error.what() << '\n';
}
