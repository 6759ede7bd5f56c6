#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>

#include "daemon/commands.h"
#include "daemon/data_directory.h"
#include "daemon/sample_backend.h"

namespace {

using elb::Result;
namespace daemon = elb::daemon;

void AddDataDirectory(CLI::App* command, std::filesystem::path& path) {
  command->add_option("--data-dir", path, "where store, keys and small files are kept")
      ->capture_default_str();
}

void AddServe(CLI::App& app, daemon::ServeOptions& options, std::string& format) {
  CLI::App* serve = app.add_subcommand("serve", "run the service until SIGINT or SIGTERM");
  AddDataDirectory(serve, options.data_directory);
  serve->add_option("--config", options.config_file, "configuration file (YAML)");
  serve->add_option("--api-address", options.api_address, "address of the management API");
  serve->add_option("--api-port", options.api_port, "its port; 0: any free one")
      ->check(CLI::Range(0, 65535));
  serve->add_option("--log", format, "the daemon's own log: text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  serve->add_flag("--take-over", options.take_over,
                  "go on in place of the process that serves the data directory now");
  serve->add_flag("--sample", options.sample, "create a sample service at the first start");
}

void AddOthers(CLI::App& app, daemon::InitOptions& init, daemon::ServeOptions& check,
               daemon::SampleBackendOptions& backend) {
  CLI::App* first = app.add_subcommand("init", "make the first administrator of a stopped node");
  AddDataDirectory(first, init.data_directory);
  first->add_option("--admin", init.admin, "name of the administrator")->required();
  first->add_option("--password-file", init.password_file,
                    "file with the password; without it one is generated and printed");
  first->add_option("--project", init.project, "name of the first project")->capture_default_str();
  CLI::App* checked = app.add_subcommand("check", "examine configuration file and store");
  AddDataDirectory(checked, check.data_directory);
  checked->add_option("--config", check.config_file, "configuration file (YAML)");
  CLI::App* sample = app.add_subcommand("backend", "run a sample backend server");
  sample->add_option("--name", backend.name, "how it names itself")->capture_default_str();
  sample->add_option("--address", backend.address, "where it listens")->capture_default_str();
  sample->add_option("--port", backend.port, "0: any free one")->capture_default_str();
}

int Report(const Result<void>& result) {
  if (result) {
    return 0;
  }
  fmt::print(stderr, "elbd: {}\n", result.error().message);
  return 1;
}

int Main(int argc, char** argv) {
  CLI::App app{"ELB: Elastic Load Balance, self-hosted"};
  app.set_version_flag("--version", ELB_VERSION);
  app.require_subcommand(1);
  daemon::ServeOptions serve;
  daemon::ServeOptions check;
  daemon::InitOptions init;
  daemon::SampleBackendOptions backend;
  serve.data_directory = check.data_directory = init.data_directory =
      daemon::DataDirectory::Default();
  std::string format = "text";
  AddServe(app, serve, format);
  AddOthers(app, init, check, backend);
  CLI11_PARSE(app, argc, argv);
  if (app.got_subcommand("serve")) {
    serve.log_format = format == "json" ? daemon::LogFormat::kJson : daemon::LogFormat::kText;
    return Report(daemon::Serve(serve));
  }
  if (app.got_subcommand("init")) {
    return Report(daemon::Init(init));
  }
  if (app.got_subcommand("check")) {
    return Report(daemon::Check(check));
  }
  return Report(daemon::RunSampleBackend(backend));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    static_cast<void>(std::fputs("elbd: ", stderr));
    static_cast<void>(std::fputs(error.what(), stderr));
    static_cast<void>(std::fputc('\n', stderr));
    return 1;
  }
}
