"""Problems of records that are not in step."""

from app.explanations.explanation import READ_THE_REASON, Explanation

# Trouble that passes, or that a person ends: states retrying, waiting, failed.
TROUBLE = {
    "retry": Explanation(
        "The other system was in trouble",
        "It did not answer, was too busy, or answered with an error of its own.",
        "Do nothing at first: the record is tried again by itself for about a day. If it has failed since, see whether"
        " the other system is well again, and retry.",
        True,
    ),
    "answer_lost": Explanation(
        "An answer got lost",
        "A change was sent, and the connection broke before the other system said whether it was made.",
        "Do nothing at first: the record is read again before anything is sent once more. If it has failed since,"
        " retry.",
        True,
    ),
    "internal_error": Explanation(
        "An error in Crossledger",
        "Crossledger itself went wrong with this record. Nothing is wrong with your data.",
        "Retry once. If it fails again, update Crossledger, and report the error with the lines of its log.",
        True,
    ),
    "reconnect": Explanation(
        "A connection has to be renewed",
        "One of the two systems does not accept the stored credentials any more: they were revoked, or have expired.",
        "Open the connection and reconnect it. Everything that waits goes on by itself afterwards.",
        False,
    ),
    "rejected": Explanation(
        "The other system refused the record",
        "It was reached, understood what was sent, and said no: a value is missing, too long, or not allowed there.",
        f"{READ_THE_REASON}, correct the value where it was entered, or change the field map. The record is tried"
        " again as soon as it is edited; if you changed something else, retry.",
        False,
    ),
    "forbidden": Explanation(
        "A permission is missing",
        "The credentials of the connection are good, but do not allow this.",
        f"{READ_THE_REASON}: it names the permission or scope. Give it to the token, or to its user, in that system,"
        " check the connection, and retry.",
        False,
    ),
    "duplicate": Explanation(
        "There is such a record already",
        "The other system allows no second record like this one, and the one it has could not be linked.",
        "Find the record that is there already. Make both the same by what they are recognised by (the e-mail, the"
        " number), or change one of them, and retry.",
        False,
    ),
    "gone": Explanation(
        "Something it needs is not there any more",
        "A record that this one refers to was deleted in the meantime.",
        f"{READ_THE_REASON}. Restore what was deleted, or take the reference to it out of the record, and retry.",
        False,
    ),
    "unsupported": Explanation(
        "The other system cannot do this",
        "It has no such function in the version or plan that you use.",
        f"{READ_THE_REASON}. Switch this object or direction off in the bridge's settings, or exclude the record.",
        False,
    ),
    "choice": Explanation(
        "One of several has to be chosen",
        "More than one answer is right, and only a person can say which one is meant.",
        f"{READ_THE_REASON}, name the one that is meant, and retry.",
        False,
    ),
    "several": Explanation(
        "One name stands for several records",
        "The other system told of a change by a name that several records share.",
        "Retry: each of them is looked at by itself.",
        True,
    ),
    "configuration_error": Explanation(
        "Crossledger is not set up for this",
        "A setting of the service is missing or wrong, for example the key that opens the stored credentials.",
        f"{READ_THE_REASON}: it says what to set. Set it, restart the service, and retry.",
        False,
    ),
    "bad_signature": Explanation(
        "A delivery was not genuine",
        "Something was sent in the name of the other system, without its signature or secret.",
        "Renew the webhook secrets of the connection, enter them in the other system, and retry.",
        False,
    ),
    "bad_payload": Explanation(
        "A delivery could not be read",
        "The other system sent something that is not as it documents it.",
        "Retry: the record itself is read anew. If it fails again, update Crossledger.",
        True,
    ),
}

# A person decides.
DECISIONS = {
    "conflict": Explanation(
        "The two sides may not be made equal",
        "A value that both sides must have alike, such as a sum or a currency, differs, and writing it could be wrong.",
        f"{READ_THE_REASON}, decide which side is right, and correct the other one there. It goes on by itself.",
        False,
    ),
    "ambiguous": Explanation(
        "It is not clear which record is its partner",
        "Several records on the other side fit, or the only one that fits has a partner already.",
        "Look at the candidates. Change the e-mail or number of those that are not meant, or merge the doubles in the"
        " other system, and retry.",
        False,
    ),
    "deletion_met_edit": Explanation(
        "It was deleted on one side and edited on the other",
        "Deleting the other one as well would throw that edit away, so nothing was deleted.",
        "Delete the record yourself on the side where it still is, or restore it on the side where it was deleted.",
        False,
    ),
}
