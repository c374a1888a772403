#include "core/subspace/subspace.h"

namespace spd {

std::string toText(const KvTarget& target) {
    return std::to_string(target.layer) + "." + std::string(name(target.stream));
}

}  // namespace spd
