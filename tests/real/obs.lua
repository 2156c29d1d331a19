-- Presses OBS's buttons. Tests append a line for each to a file: "start", "stop",
-- "check" for the button in the plugin's panel, or "service", which logs the service
-- in Settings, Stream.

local obs = obslua
local done = 0

local presses = {
  start = obs.obs_frontend_streaming_start,
  stop = obs.obs_frontend_streaming_stop,
}

function presses.service()
  local service = obs.obs_frontend_get_streaming_service()
  local settings = obs.obs_service_get_settings(service)
  local server = obs.obs_data_get_string(settings, "server")
  print("service: " .. obs.obs_service_get_type(service) .. " " .. server)
  obs.obs_data_release(settings)
end

function presses.check()
  local panel = obs.obs_get_source_properties("osslive_panel")
  obs.obs_property_button_clicked(obs.obs_properties_get(panel, "check"), nil)
  obs.obs_properties_destroy(panel)
end

local function poll()
  local file = io.open(os.getenv("OBS_COMMANDS"))
  if not file then
    return
  end
  local number = 0
  for line in file:lines() do
    number = number + 1
    if number > done then
      done = number
      presses[line]()
    end
  end
  file:close()
end

function script_load(settings)
  obs.timer_add(poll, 100)
end
