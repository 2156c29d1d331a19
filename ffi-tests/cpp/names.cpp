// Prints a page of seven channels: names.cpp MARKER.

#include <osslive.hpp>

#include <iostream>

int main(int argc, char **argv) try {
  osslive::Config config;
  config.load_env = true;
  config.proxy = "";
  std::cout << osslive::Client(config).list_channels("", argc == 2 ? argv[1] : "", 7) << '\n';
} catch (const osslive::Error &error) {
  std::cerr << error.what() << '\n';
  return 1;
}
