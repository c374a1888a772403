# Compiler settings for every target of the project: call spd_compile_options(<target>) once per target.
find_program(SPD_CCACHE ccache)
if(SPD_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SPD_CCACHE})
endif()
find_package(Threads REQUIRED)

function(spd_compile_options target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                             -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
    if(SPD_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
        target_link_options(${target} PUBLIC -fsanitize=address,undefined)
    endif()
endfunction()
