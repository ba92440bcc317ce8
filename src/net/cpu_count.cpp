// SPDX-License-Identifier: Apache-2.0
#include "net/cpu_quota.hpp"

#include <squall/net/cpu_count.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>
#include <thread>

namespace squall {
namespace net {
namespace {

unsigned whole_cpus(double quota, double period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<unsigned>(std::max(1.0, std::ceil(quota / period)));
}

unsigned smaller(unsigned one, unsigned other) {
  if (one == 0 || other == 0) return std::max(one, other);
  return std::min(one, other);
}

/// "max 100000" or "150000 100000".
unsigned read_version_2(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return 0;
  return whole_cpus(std::atof(quota.c_str()), period);
}

unsigned read_version_1(const std::string& directory) {
  double quota = 0;
  double period = 0;
  std::ifstream(directory + "/cpu.cfs_quota_us") >> quota;
  std::ifstream(directory + "/cpu.cfs_period_us") >> period;
  return whole_cpus(quota, period);
}

// Every group above may limit too. Inside a container the path may not exist, because the mount
// shows the container's own group as the root; that root is looked at last.
template <class Read>
unsigned smallest_up_to_root(const std::string& mount, std::string path, Read read) {
  unsigned found = 0;
  while (path.size() > 1) {
    found = smaller(found, read(mount + path));
    path.resize(path.find_last_of('/'));
  }
  return smaller(found, read(mount));
}

bool has_controller(const std::string& list, const std::string& wanted) {
  std::istringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == wanted) return true;
  }
  return false;
}

}  // namespace

unsigned cpu_quota(const std::string& proc_cgroup, const std::string& mount) {
  unsigned found = 0;
  std::ifstream file(proc_cgroup);
  for (std::string line; std::getline(file, line);) {  // "id:controllers:path"
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (path.empty() || path.front() != '/') continue;
    if (controllers.empty()) {
      found = smaller(found, smallest_up_to_root(mount, path, read_version_2));
    } else if (has_controller(controllers, "cpu")) {
      found = smaller(found, smallest_up_to_root(mount + "/cpu", path, read_version_1));
    }
  }
  return found;
}

}  // namespace net

unsigned cpu_count() noexcept {
  unsigned count = std::max(std::thread::hardware_concurrency(), 1U);
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    count = std::max(static_cast<unsigned>(CPU_COUNT(&set)), 1U);
  }
  try {
    const unsigned quota = net::cpu_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    if (quota != 0) count = std::min(count, quota);
  } catch (const std::exception&) {  // no memory for a path: the mask has to do
  }
  return count;
}

}  // namespace squall
