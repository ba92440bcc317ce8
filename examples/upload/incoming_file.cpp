// SPDX-License-Identifier: Apache-2.0
#include "incoming_file.hpp"

#include "safe_name.hpp"

#include <squall/loop/executor.hpp>
#include <squall/loop/unique_fd.hpp>

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <new>
#include <stdlib.h>
#include <system_error>
#include <unistd.h>
#include <utility>

using namespace squall;

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

/// The blocking side. Used by one thread at a time, as each job is awaited before the next.
class IncomingFile::Disk {
 public:
  explicit Disk(std::string directory)
      : directory_(std::move(directory)), digest_(EVP_MD_CTX_new()) {
    if (!digest_ || EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr) != 1) {
      throw std::bad_alloc();
    }
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk() {
    if (!path_.empty()) unlink(path_.c_str());
  }

  /// Gives the memory back, to be used again.
  std::string append(std::string bytes) {
    if (path_.empty()) open();
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t count = ::write(fd_.get(), bytes.data() + done, bytes.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("cannot write an upload");
      done += static_cast<std::size_t>(count);
    }
    EVP_DigestUpdate(digest_.get(), bytes.data(), bytes.size());
    size_ += bytes.size();
    bytes.clear();
    return bytes;
  }

  KeptFile keep(const std::string& name) {
    if (path_.empty()) open();
    std::string chosen = name;
    // A link, unlike a renaming, never replaces a file that is there.
    for (int number = 2; link(path_.c_str(), (directory_ + "/" + chosen).c_str()) != 0; ++number) {
      if (errno != EEXIST || number > 10'000) fail("cannot keep an upload");
      chosen = numbered_name(name, number);
    }
    return {chosen, size_, digest()};
  }

 private:
  void open() {
    std::string path = directory_ + "/.upload-XXXXXX";
    fd_ = UniqueFd(mkostemp(path.data(), O_CLOEXEC));
    if (fd_.get() < 0) fail("cannot write into the directory");
    path_ = std::move(path);
  }

  std::string digest() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
    unsigned count = 0;
    EVP_DigestFinal_ex(digest_.get(), bytes.data(), &count);
    std::string text;
    for (unsigned i = 0; i < count; ++i) {
      text += "0123456789abcdef"[bytes[i] >> 4];
      text += "0123456789abcdef"[bytes[i] & 15];
    }
    return text;
  }

  std::string directory_, path_;  // the path is the temporary name, which always goes in the end
  UniqueFd fd_;
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest_;
  std::uint64_t size_ = 0;
};

IncomingFile::IncomingFile(std::string directory)
    : disk_(std::make_shared<Disk>(std::move(directory))) {}

// The name is taken away, and the blocks of a large file are freed, where the loop does not wait.
IncomingFile::~IncomingFile() {
  try {
    static_cast<void>(
        run_in_executor([](std::shared_ptr<Disk>&& disk) { disk.reset(); }, std::move(disk_)));
  } catch (const Error&) {
    // The executor is busy: then it happens here.
  }
}

Task<> IncomingFile::write(std::string_view piece) {
  chunk_ += piece;
  if (chunk_.size() >= chunk_bytes) co_await flush();
}

Task<> IncomingFile::flush() {
  const std::size_t size = chunk_.size();
  chunk_ = co_await run_in_executor(&Disk::append, disk_, std::move(chunk_));
  written_ += size;
}

Task<KeptFile> IncomingFile::keep(std::string name) {
  co_await flush();
  co_return co_await run_in_executor(&Disk::keep, disk_, std::move(name));
}
