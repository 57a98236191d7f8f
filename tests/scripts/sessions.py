"""Two clients meet in a waiting room, and a session keeps what they say."""

from simstore.sotopia import MatchingInWaitingRoom, MessageTransaction, SessionTransaction

room = MatchingInWaitingRoom(timestamp=1732367000.5, client_ids=["ada"], session_ids=["talk-1"])
room.save()
waiting = MatchingInWaitingRoom.all()[0]
waiting.client_ids.append("ben")
waiting.session_id_retrieved = ["", "true"]
waiting.save()
again = MatchingInWaitingRoom.get(room.pk)
print(again.client_ids, again.session_ids, again.session_id_retrieved, again.expire_time)

session = SessionTransaction(session_id="talk-1", client_id="ada", server_id="ben", message_list=[])
session.save()
for number, (sender, text) in enumerate(
    [("ada", "Hello"), ("ben", "Good evening"), ("ada", "Bye")]
):
    found = SessionTransaction.find(SessionTransaction.session_id == "talk-1").all()
    assert len(found) == 1
    session = found[0]
    session.message_list.append(
        MessageTransaction(timestamp_str=f"173236700{number}.25", sender=sender, message=text)
    )
    session.save()
session = SessionTransaction.get(session.pk)
print([message.to_tuple() for message in session.message_list])
print(session.client_action_lock, session.expire_time)

session.client_action_lock = "ada types"
session.save()
print(SessionTransaction.find(SessionTransaction.client_id == "ada").all()[0].client_action_lock)
print(
    len(
        SessionTransaction.find(
            SessionTransaction.client_id == "ada", SessionTransaction.server_id == "x"
        ).all()
    )
)
print(
    len(SessionTransaction.find(SessionTransaction.message_list.sender == "ben").all()),
    "in which Ben spoke",
)

session.expire(600)
print("still there:", SessionTransaction.get(session.pk).session_id)
try:
    SessionTransaction(
        session_id="talk-2",
        client_id="a",
        server_id="b",
        message_list=[
            MessageTransaction(timestamp_str="2.0", sender="a", message="second"),
            MessageTransaction(timestamp_str="1.0", sender="b", message="first"),
        ],
    )
except ValueError:
    print("messages are in the order of time")
print("deleted:", SessionTransaction.delete(session.pk), SessionTransaction.all())
