/*
 * Commands of an MEF to its clients: TS-0003 8.3.9 (procedures), 12.3.2 (codes), 12.4.4
 * (cmdDescription).  What both ends share: the codes with their names, the form of a command in
 * the resource mefClientCmd, and the values it may have.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COMMON_M2M_COMMAND_H
#define COMMON_M2M_COMMAND_H

#include "common/m2m_codec.h"

/* cmdClassID, 12.3.2.3: name, number, what the administration calls it. */
#define M2M_CMD_CLASS_TABLE(X)                                                                 \
    X(NO_MORE_COMMANDS, 0, "no-more-commands")                                                 \
    X(CERT_PROV, 1, "cert-prov")                                                               \
    X(DEV_CFG, 2, "dev-cfg")                                                                   \
    X(MO_NODE, 3, "mo-node")

/* cmdStatusCode, 12.3.2.4: name, number, whose (a class, any, or the MEF's own), in words. */
#define M2M_CMD_STATUS_TABLE(X)                                                                \
    X(ISSUED, 10, MEF, "issued")                                                               \
    X(REISSUED, 11, MEF, "issued again")                                                       \
    X(OK, 20, ANY, "done")                                                                     \
    X(REPEATED_CMD_ID, 40, ANY, "the same command again")                                      \
    X(CLASS_NOT_SUPPORTED, 41, ANY, "this class of commands is not supported")                 \
    X(BAD_ARGUMENTS, 42, ANY, "the arguments cannot be read")                                  \
    X(UNACCEPTABLE_ARGUMENTS, 43, ANY, "the arguments are not acceptable")                     \
    X(CERT_PROV_SERVER_ERROR, 100, CERT_PROV, "no certificate: the server failed or refused")  \
    X(CERT_PROV_CLIENT_ERROR, 101, CERT_PROV, "no certificate: the device failed")             \
    X(DEV_CFG_SERVER_ERROR, 201, DEV_CFG, "not configured: the server failed or refused")      \
    X(DEV_CFG_CLIENT_ERROR, 202, DEV_CFG, "not configured: the device failed")                 \
    X(MO_NODE_NOT_FOUND, 300, MO_NODE, "no such management object")                            \
    X(MO_NODE_TYPE_CONFLICT, 301, MO_NODE, "the management object is of another type")         \
    X(MO_NODE_BAD_ARGS, 302, MO_NODE, "the arguments of the object type cannot be read")       \
    X(MO_NODE_UNACCEPTABLE_ARGS, 303, MO_NODE,                                                 \
      "the arguments of the object type are not acceptable")                                   \
    X(MO_NODE_INCONSISTENT_CONFIG, 304, MO_NODE, "the management object contradicts itself")   \
    X(MO_NODE_EXECUTION_ERROR, 305, MO_NODE, "the management object could not be put to use")

enum m2m_cmd_class {
#define X(name, number, word) M2M_CMD_##name = (number),
    M2M_CMD_CLASS_TABLE(X)
#undef X
};
enum m2m_cmd_status {
#define X(name, number, whose, words) M2M_CMD_S_##name = (number),
    M2M_CMD_STATUS_TABLE(X)
#undef X
};

/* "CERT_PROV", "cert-prov"; NULL: no such class. */
const char *m2m_cmd_class_name(unsigned class_id);
const char *m2m_cmd_class_word(unsigned class_id);
/* "REPEATED_CMD_ID", and in words; NULL: no such code. */
const char *m2m_cmd_status_name(unsigned status);
const char *m2m_cmd_status_words(unsigned status);
/* May a client report it, of a command of that class?  (Never the MEF's own 10 and 11.) */
bool m2m_cmd_status_is_result(unsigned status);
bool m2m_cmd_status_is_result_of(unsigned status, unsigned class_id);

/* Numbers of arguments with their words (12.3.2): 0 and NULL where there is none. */
enum m2m_cmd_set {
    M2M_CMD_PROTOCOL,     /* certProvProtocolID: 1 "est", 2 "scep" */
    M2M_CMD_SUBJECT_TYPE, /* certSubjectType: 1 "node", 2 "cse", 3 "ae" */
    M2M_CMD_MANAGEMENT,   /* devMgmtID: 1 "oma-dm-1.3", 2 "oma-dm-2.0", 3 "lwm2m", 4 "tr-069" */
    M2M_CMD_OBJECT_TYPE,  /* objectTypeID: 1 "authentication-profile", 2 "trust-anchor-cred", 3
                             "maf-client-reg-cfg" */
    M2M_CMD_N_SETS
};
const char *m2m_cmd_word(enum m2m_cmd_set set, unsigned number);
unsigned m2m_cmd_number(enum m2m_cmd_set set, struct gba_text word); /* digits are read too */

#define M2M_CMD_PROTOCOL_EST        1
#define M2M_CMD_SUBJECT_NODE        1
#define M2M_CMD_SUBJECT_CSE         2
#define M2M_CMD_SUBJECT_AE          3
#define M2M_CMD_OBJECT_AUTH_PROFILE 1

#define M2M_CMD_ID_SIZE 257

/* One command.  Of the arguments those of its class are set, the rest is 0 or "". */
struct m2m_command {
    char id[M2M_CMD_ID_SIZE];
    unsigned class_id;
    unsigned status;          /* ISSUED or REISSUED */
    char target[M2M_ID_SIZE]; /* for whom a Node acts; "": for the client itself */
    int64_t retry_s;          /* NO_MORE_COMMANDS: until one asks again; 0: not told */
    unsigned protocol;        /* CERT_PROV */
    unsigned subject_type;
    char subject[M2M_ID_SIZE];
    unsigned management;    /* DEV_CFG */
    char uri[M2M_ID_SIZE];  /* CERT_PROV, DEV_CFG */
    char path[M2M_ID_SIZE]; /* MO_NODE */
    unsigned object_type;
    bool has_specific; /* objectTypeSpecificArgs were there */
    unsigned suid;     /* 0: none */
};

/* Writes the command's attributes beside those the resource has.  GBA_E_TOO_LONG. */
enum gba_err m2m_command_put(const struct m2m_command *c, struct m2m_resource *r);

/* Reads the content of an answer.  GBA_OK with *status: OK, or what a client has to report of
 * arguments it cannot read (41, 42, 302, 303; id and class are then all that is known).
 * GBA_E_PROTOCOL: no command can be made out. */
enum gba_err m2m_command_read(struct gba_bytes pc, enum m2m_format format,
                              struct m2m_command *out, unsigned *status,
                              struct m2m_problem *problem);

/* sec:deviceConfigURI, "devMgmtID:URI": management and uri.  GBA_E_SYNTAX, GBA_E_TOO_LONG. */
enum gba_err m2m_device_config_read(struct gba_text t, struct m2m_command *c);

/* Are the values such as may be (8.3.9.6-9)?  OK, 41, 43, 302 or 303.  URIs have the MEF's FQDN
 * as their host, that nobody is sent to others. */
unsigned m2m_command_judge(const struct m2m_command *c, const char *mef_fqdn);

/* xs:duration, whole seconds; a year counts 365 days, a month 30.  GBA_E_SYNTAX. */
enum gba_err m2m_duration_parse(struct gba_text t, int64_t *seconds);
#define M2M_DURATION_SIZE 32
void m2m_duration(int64_t seconds, char out[static M2M_DURATION_SIZE]); /* "PT86400S" */

#endif
