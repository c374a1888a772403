#pragma once

#include <string_view>

namespace spd::test {

/// What happens to one call of the system that opens for writing, writes, cuts, syncs, closes, renames or
/// removes a file, or makes or removes a folder. The program's own open(), write(), ... are put in place of
/// the C library's (see failing_calls.cpp), so that the code under test needs no seam. For one thread; meant
/// for a child process.
struct Fault {
    enum class Kind {
        error,           ///< call number `call` fails with `code`
        errors,          ///< that one and all later ones
        short_write,     ///< a write takes half of its bytes
        kill,            ///< SIGKILL in front of the call
        write_and_kill,  ///< SIGKILL behind half of a write
        power_loss,      ///< as kill, and what was written and not synced is gone
    };
    Kind kind = Kind::error;
    int call = 0;  ///< counted from 1; 0: none
    int code = 0;  ///< errno
};

/// Counts calls from now on and lets `fault` happen.
void armFault(const Fault& fault);
/// No faults from now on. @return the calls counted since armFault()
int disarmFault();
/// After disarmFault(): goes on counting where it ended.
void resumeFault();
/// The call that the fault struck first, "fsync"; empty before. Points to a literal.
std::string_view struckCall();

}  // namespace spd::test
