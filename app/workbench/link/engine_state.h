#pragma once

#include <QString>
#include <QStringList>

#include "app/workbench/link/engine_link.h"

namespace spd {

enum class EngineState {
    none,        ///< not asked to connect
    connecting,  ///< the child runs, the engine has not answered yet
    ready,
    lost,    ///< it will be tried again by itself
    failed,  ///< only a new try by hand or another command helps
};

/// What an engine said of itself in answer to `hello`.
struct EngineInfo {
    QString program;  ///< "spd 0.1.0"
    QString workspace;
    QString processor;
    QString session;  ///< differs for each start of an engine
    qint64 pid = 0;
    qint64 threads = 0;
};

/// All in milliseconds but `tries`.
struct EngineTiming {
    int ping_busy = 500;   ///< between pings while jobs run
    int ping_idle = 2000;  ///< else
    int silent = 500;      ///< behind when a ping was due, without a byte: worth telling
    int give_up = 30'000;  ///< without a byte: the child is ended and another one tried
    int hello = 60'000;    ///< for the answer to hello: an engine far away may have to start
    int backoff = 250;     ///< before the first new try; doubles up to
    int max_backoff = 10'000;
    int stable = 10'000;  ///< ready for so long: the next loss starts with `backoff` again
    int tries = 8;        ///< in a row before it is given up
};

/// One line: how the connection ended. @param command  whose first word names the program
QString endInWords(const LinkEnd& end, const QStringList& command);
/// Trying the same again cannot help: no such program, a wrong option, a workspace that is not there.
bool isHopeless(const LinkEnd& end);

}  // namespace spd
