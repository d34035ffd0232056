# What the Debian package has beside what is installed. CPack runs it where that has been put together. The time is
# SOURCE_DATE_EPOCH's, if there is one.
set(usr ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr)
set(overrides ${usr}/share/lintian/overrides/mmu86)
file(READ ${CMAKE_CURRENT_LIST_DIR}/lintian-overrides text)
file(WRITE ${overrides} "${text}")

set(changelog ${usr}/share/doc/mmu86/changelog)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${changelog} "mmu86 (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Version ${CPACK_PACKAGE_VERSION}: see CHANGELOG.md.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
execute_process(COMMAND gzip -9nf ${changelog} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${changelog}: cannot be compressed: ${failed}")
endif()
file(CHMOD ${overrides} ${changelog}.gz PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
