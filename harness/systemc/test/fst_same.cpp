// Compares two FST waveforms as viewers see them: fst_same A B. Every signal of B is in A (a SystemC module's ports are
// no signals of Verilator's), and has the same values at the same times. Exit status 1: no.

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "gtkwave/fstapi.h"

namespace {

using Changes = std::vector<std::pair<uint64_t, std::string>>;

// By the signal's full name.
std::map<std::string, Changes> read(const char *path) {
  std::map<std::string, Changes> signals;
  void *reader = fstReaderOpen(path);
  if (!reader) return signals;
  std::map<std::string, fstHandle> handles;
  std::vector<std::string> scopes;
  while (const fstHier *h = fstReaderIterateHier(reader)) {
    if (h->htyp == FST_HT_SCOPE) scopes.push_back(h->u.scope.name);
    if (h->htyp == FST_HT_UPSCOPE) scopes.pop_back();
    if (h->htyp != FST_HT_VAR) continue;
    std::string name;
    for (const std::string &scope : scopes)
      name += scope + ".";
    handles[name + h->u.var.name] = h->u.var.handle;
  }
  std::map<fstHandle, Changes> changes;
  fstReaderSetFacProcessMaskAll(reader);
  fstReaderIterBlocks(
      reader,
      [](void *ctx, uint64_t time, fstHandle handle, const unsigned char *value) {
        Changes &list = (*static_cast<std::map<fstHandle, Changes> *>(ctx))[handle];
        std::string text(reinterpret_cast<const char *>(value));
        if (list.empty() || list.back().second != text) list.emplace_back(time, std::move(text));
      },
      &changes, nullptr);
  fstReaderClose(reader);
  for (const auto &[name, handle] : handles)
    signals[name] = changes[handle];
  return signals;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const auto a = read(argv[1]), b = read(argv[2]);
  if (b.size() < 100) return std::printf("%s: only %zu signals\n", argv[2], b.size()), 1;
  size_t values = 0;
  for (const auto &[name, changes] : b) {
    const auto other = a.find(name);
    if (other == a.end()) return std::printf("%s: only in %s\n", name.c_str(), argv[2]), 1;
    if (other->second == changes) {
      values += changes.size();
      continue;
    }
    size_t i = 0;
    while (i < changes.size() && i < other->second.size() && changes[i] == other->second[i])
      i++;
    const auto at = [i](const Changes &list) { return i < list.size() ? (long long)list[i].first : -1; };
    return std::printf("%s: other values, at %lld and %lld\n", name.c_str(), at(other->second), at(changes)), 1;
  }
  std::printf("%zu of %zu signals, %zu values\n", b.size(), a.size(), values);
  return values < 10000;
}
