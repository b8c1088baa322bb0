/*
 * Questions to the MEF's database: who a session is, is asked in each handshake and before each
 * request, and must not wait for the disk on which somebody's transaction is being put.  So
 * they go over a connection of their own, which sees the last state that is on the disk
 * (SQLite's write-ahead log lets it); those of a transaction go over the transaction's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "naf/mef_db.h"

/* A database in memory is one connection's, and one thread's (mefd_database_try). */
static bool goes_apart(const struct mef_db *s)
{
    return s->asking.c.db != NULL && !mef_db_is_inside(s);
}

sqlite3_stmt *mef_db_ask(struct mef_db *s, enum statement which)
{
    if (!goes_apart(s))
        return mef_db_use(s, which);
    pthread_mutex_lock(&s->asking.lock);
    return mef_db_use_of(&s->asking.c, which);
}

void mef_db_asked(struct mef_db *s, sqlite3_stmt *st)
{
    sqlite3_reset(st);
    if (goes_apart(s))
        pthread_mutex_unlock(&s->asking.lock);
}
