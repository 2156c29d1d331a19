}  // namespace typed
}  // namespace osslive

#endif  /* OSSLIVE_JSON_HPP */
