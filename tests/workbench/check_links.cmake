# cmake -DPROGRAM=FILE -P check_links.cmake: fails when a library that the window must not need is among those that it loads.
execute_process(COMMAND ldd ${PROGRAM} OUTPUT_VARIABLE libraries COMMAND_ERROR_IS_FATAL ANY)
foreach(expected Qt6Widgets QCustomPlot)  # an ldd that says nothing would prove nothing
    if(NOT libraries MATCHES "${expected}")
        message(FATAL_ERROR "${PROGRAM} does not load ${expected}:\n${libraries}")
    endif()
endforeach()
foreach(forbidden torch c10 sqlite cudart)
    if(libraries MATCHES "(lib${forbidden}[^\n]*)")
        message(FATAL_ERROR "${PROGRAM} loads ${CMAKE_MATCH_1}")
    endif()
endforeach()
