// Merges with files of weights small enough for a test: merge_driver ADAPTER BASE OUT MOST_BYTES

#include <cstdlib>
#include <iostream>

#include "core/base/error.h"
#include "core/export/merged_checkpoint.h"

int main(int argc, char** argv) {
    if (argc != 5)
        return 2;
    spd::MergeRequest request;
    request.adapter = argv[1];
    request.base = argv[2];
    request.out = argv[3];
    request.most_file_bytes = std::atoll(argv[4]);
    try {
        std::cout << spd::exportMerged(request, {}).files << "\n";
    } catch (const spd::Error& error) {
        std::cerr << error.what() << "\n";
        return error.exitCode();
    }
    return 0;
}
