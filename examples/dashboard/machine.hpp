// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

struct Reading {
  std::int64_t time_ms = 0;  // since 1970
  double cpu_percent = 0;    // of all cores, since the reading before
  double memory_percent = 0;
  double received_bytes = 0;  // a second, over all network interfaces
  double sent_bytes = 0;
};

/// Reads what the kernel tells about this machine in /proc.
class Machine {
 public:
  Machine() { read(); }

  Reading read() {
    using namespace std::chrono;
    Reading reading;
    reading.time_ms = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    const double seconds = static_cast<double>(reading.time_ms - last_time_ms_) / 1000;
    last_time_ms_ = reading.time_ms;
    read_cpu(reading);
    read_memory(reading);
    read_network(reading, seconds);
    return reading;
  }

 private:
  void read_cpu(Reading& reading) {
    std::ifstream file("/proc/stat");
    std::string name;
    double all = 0, idle = 0, ticks = 0;
    file >> name;
    for (int field = 0; field < 8 && file >> ticks; ++field) {
      all += ticks;
      if (field == 3 || field == 4) idle += ticks;  // idle, and waiting for a disk
    }
    if (all > last_all_) {
      reading.cpu_percent = 100 * (1 - (idle - last_idle_) / (all - last_all_));
    }
    last_all_ = all;
    last_idle_ = idle;
  }

  static void read_memory(Reading& reading) {
    std::ifstream file("/proc/meminfo");
    std::string name, unit;
    double value = 0, total = 0, available = 0;
    while (file >> name >> value) {
      std::getline(file, unit);
      if (name == "MemTotal:") total = value;
      if (name == "MemAvailable:") available = value;
    }
    if (total > 0) reading.memory_percent = 100 * (1 - available / total);
  }

  void read_network(Reading& reading, double seconds) {
    std::ifstream file("/proc/net/dev");
    std::string line, name;
    std::getline(file, line);
    std::getline(file, line);
    double received = 0, sent = 0;
    while (std::getline(file, line, ':')) {
      double fields[16] = {};
      for (double& field : fields) file >> field;
      received += fields[0];
      sent += fields[8];
    }
    if (last_received_ > 0 && seconds > 0) {
      reading.received_bytes = (received - last_received_) / seconds;
      reading.sent_bytes = (sent - last_sent_) / seconds;
    }
    last_received_ = received;
    last_sent_ = sent;
  }

  std::int64_t last_time_ms_ = 0;
  double last_all_ = 0, last_idle_ = 0;
  double last_received_ = 0, last_sent_ = 0;
};
