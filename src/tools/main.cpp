// SPDX-License-Identifier: Apache-2.0
#include "tools/command_line.hpp"

int main(int argc, char** argv) {
  return squall::tools::run_command_line({argv + (argc > 0 ? 1 : 0), argv + argc});
}
