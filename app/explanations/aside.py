"""Why a record takes no part, or is no pair any more."""

from app.explanations.explanation import Explanation

_NO_ACTION = "Nothing, if that is as you want it."

# It takes no part, or not yet: states excluded, waiting_for_parent.
LEFT_OUT = {
    "parent": Explanation(
        "It waits for the record that it belongs to",
        "It belongs to a contact, a business or an invoice that is not linked yet, or takes no part at the moment.",
        "Find out why that record is not linked, and cure that. This one follows by itself.",
        False,
    ),
    "kept_apart": Explanation(
        "A person keeps it apart",
        "Somebody has decided that it is none of the records that look like it, and gets no partner.",
        f"{_NO_ACTION} Else decide it anew in the conflict inbox.",
        False,
    ),
    "left_out": Explanation(
        "A person leaves it out",
        "Somebody has excluded it: nothing is read, written or deleted for it, on either side.",
        f"{_NO_ACTION} Else open the record, and press “Take it in again”: it goes on from where it was.",
        False,
    ),
    "undecided": Explanation(
        "A person has to decide about another record first",
        "It may be the partner of a record of the other side that several others match as well.",
        "Open the conflict inbox, and say which one is the partner. This one follows by itself.",
        False,
    ),
    "filtered": Explanation(
        "A filter leaves it out",
        "It does not fulfil the conditions that this bridge has for such records.",
        f"{_NO_ACTION} Else change the filter of the bridge, or the values of the record.",
        False,
    ),
    "archived": Explanation(
        "It is archived",
        "An archived record takes no part, as the bridge is set.",
        f"{_NO_ACTION} Else restore it where it is archived.",
        False,
    ),
    "elsewhere": Explanation(
        "It belongs to another bridge",
        "Several bridges share this billing account, and another one keeps this record in step.",
        _NO_ACTION,
        False,
    ),
    "shared": Explanation(
        "It is not known which CRM account it belongs to",
        "Several CRM accounts share this billing account, and the record was entered in billing.",
        "Enter the contact in the CRM account that it belongs to, with the same e-mail. Then the two are linked.",
        False,
    ),
    "unmatched": Explanation(
        "It has no partner, and none is made",
        "This bridge links records that are on both sides, and creates none. Nothing on the other side is like it.",
        f"{_NO_ACTION} Else enter it on the other side as well, or let the bridge create records.",
        False,
    ),
    "direction": Explanation(
        "This bridge does not go in that direction",
        "Records of this kind are not created on the other side, as the bridge is set.",
        f"{_NO_ACTION} Else change the direction in the bridge's settings.",
        False,
    ),
    "too_early": Explanation(
        "It is from before the start",
        "Only records that are newer than the day that the bridge is set to are synced.",
        f"{_NO_ACTION} Else set an earlier day in the bridge's settings.",
        False,
    ),
    "unidentified": Explanation(
        "There is nothing to recognise it by",
        "It has no name, no e-mail and no number, so its partner could never be found again.",
        "Enter a name or an e-mail address. It is looked at again by itself.",
        False,
    ),
    "aside": Explanation(
        "It is of a kind that is not synced",
        "The reason beside the record says what it is about it.",
        f"{_NO_ACTION} Else change that in the system where it is; it is looked at again by itself.",
        False,
    ),
    "alone": Explanation(
        "It belongs to nobody",
        "Such a record is synced together with the one that it belongs to, and this one belongs to none.",
        "Attach it to a contact, a client or an invoice in the system where it is.",
        False,
    ),
    "parts": Explanation(
        "Its persons are synced one by one",
        "It is a client with several persons: each of them is a contact of its own in the CRM.",
        "Nothing: look at the links of its persons.",
        False,
    ),
    "shown_elsewhere": Explanation(
        "Another contact shows it",
        "Several contacts belong to one client, and what the client owes is shown at one of them only.",
        "Nothing: the reason names the contact that shows it.",
        False,
    ),
    "apart": Explanation(
        "It was written by Crossledger itself",
        "It tells of an event, such as a payment, and is no note of a person.",
        "Nothing.",
        False,
    ),
}

# Was a pair: state unlinked.
CUT = {
    "billing_merged": Explanation(
        "It was merged into another record in billing",
        "The record that it was linked to is gone for good, and the one that was kept has a partner of its own.",
        "Merge the two contacts in the CRM as well, or leave this one without a partner.",
        False,
    ),
    "billing_gone": Explanation(
        "It was deleted in billing",
        "The record in the CRM was kept, and is not synced any more.",
        f"{_NO_ACTION} Else restore it in billing: then the two are linked again.",
        False,
    ),
    "billing_gone_deleted": Explanation(
        "It was deleted in billing, and in the CRM too",
        "The bridge is set to delete in the CRM what is deleted in billing.",
        f"{_NO_ACTION} Else restore it in billing, and look at the bridge's settings for deletions.",
        False,
    ),
    "crm_gone": Explanation(
        "It was deleted in the CRM",
        "The record in billing was kept, and is not synced any more.",
        f"{_NO_ACTION} Else restore it in the CRM: then the two are linked again.",
        False,
    ),
    "crm_gone_archived": Explanation(
        "It was deleted in the CRM, and archived in billing",
        "The bridge is set to archive in billing what is deleted in the CRM.",
        f"{_NO_ACTION} Else restore it in the CRM: then it is brought back in billing as well.",
        False,
    ),
    "crm_gone_deleted": Explanation(
        "It was deleted in the CRM, and in billing too",
        "The bridge is set to delete in billing what is deleted in the CRM.",
        f"{_NO_ACTION} Else restore it in the CRM, and look at the bridge's settings for deletions.",
        False,
    ),
    "crm_put_away": Explanation(
        "It was put away in the CRM, and archived in billing",
        "Its status in the CRM is one of those that the bridge puts away in billing.",
        f"{_NO_ACTION} Else give it another status in the CRM: then both come back.",
        False,
    ),
    "twin": Explanation(
        "It was entered on both sides at once",
        "Crossledger had made a second record meanwhile, which was archived. The two that people entered are linked.",
        "Nothing.",
        False,
    ),
    "moved": Explanation(
        "It belongs to another record now",
        "What it was part of was linked to another partner.",
        "Nothing: the new pair is synced.",
        False,
    ),
}
