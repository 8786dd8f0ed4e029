/* Decoders of FFmpeg, and pictures in memory that was given. */
#include "shim.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>

#include "frame.h"

#define ALIGN 64
/* Decoders read and write a little beyond the end of a plane. */
#define TAIL (2 * ALIGN)

/* Buffers of one size, used again. */
struct pool {
    AVBufferPool *buffers;
    size_t bytes;
};

struct shim_decoder {
    AVCodecContext *context;
    AVPacket *packet;
    /* for pictures that were given no memory, and for colours nobody wants */
    struct pool pictures;
    struct pool colours;
    shim_give give;
    shim_release release;
    /* NULL while nobody decodes */
    void *asked;
};

static void say_nothing(void *object, int level, const char *format, va_list arguments)
{
    (void)object, (void)level, (void)format, (void)arguments;
}

static int is_420(int format)
{
    return format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P;
}

/* FFmpeg gives back what it was handed at the beginning of the buffer, too, and wants nothing of it. */
struct given {
    shim_release release;
    void *hold;
};

static void give_back(void *opaque, uint8_t *data)
{
    struct given *given = opaque;
    (void)data;
    given->release(given->hold);
    av_free(given);
}

/* The first byte of a buffer from the pool that is aligned. */
static uint8_t *take(struct pool *pool, size_t bytes, AVBufferRef **buffer)
{
    bytes += ALIGN + TAIL;
    if (!pool->buffers || pool->bytes != bytes) {
        av_buffer_pool_uninit(&pool->buffers);
        pool->buffers = av_buffer_pool_init(bytes, av_buffer_allocz);
        pool->bytes = bytes;
    }
    *buffer = pool->buffers ? av_buffer_pool_get(pool->buffers) : NULL;
    if (!*buffer)
        return NULL;
    uint8_t *start = (*buffer)->data;
    return start + (ALIGN - (uintptr_t)start % ALIGN) % ALIGN;
}

static size_t half(int32_t whole)
{
    return ((size_t)whole + 1) / 2;
}

static int fill_target(struct shim_decoder *decoder, AVFrame *frame, const struct shim_need *need,
                       const struct shim_target *target)
{
    struct given *given = av_malloc(sizeof *given);
    if (!given) {
        decoder->release(target->hold);
        return 0;
    }
    *given = (struct given){decoder->release, target->hold};
    frame->buf[0] = av_buffer_create(target->base, target->bytes, give_back, given, 0);
    if (!frame->buf[0]) {
        give_back(given, NULL);
        return 0;
    }
    for (int plane = 0; plane < 3; plane++)
        frame->data[plane] = target->plane[plane];
    if (!target->plane[1]) {
        size_t bytes = half(need->stride) * half(need->height);
        uint8_t *start = take(&decoder->colours, 2 * bytes, &frame->buf[1]);
        if (!start) {
            av_buffer_unref(&frame->buf[0]);
            return 0;
        }
        frame->data[1] = start;
        frame->data[2] = start + bytes;
    }
    /* Tells a picture in a target from one that is not. */
    frame->opaque = target->hold;
    return 1;
}

static int fill_own(struct shim_decoder *decoder, AVFrame *frame, const struct shim_need *need)
{
    size_t luma = (size_t)need->stride * (size_t)need->height;
    size_t colour = half(need->stride) * half(need->height);
    frame->data[0] = take(&decoder->pictures, luma + 2 * colour, &frame->buf[0]);
    if (!frame->data[0])
        return 0;
    frame->data[1] = frame->data[0] + luma;
    frame->data[2] = frame->data[1] + colour;
    return 1;
}

static int get_buffer(AVCodecContext *context, AVFrame *frame, int flags)
{
    struct shim_decoder *decoder = context->opaque;
    frame->opaque = NULL;
    if (context->codec_type != AVMEDIA_TYPE_VIDEO || !is_420(frame->format))
        return avcodec_default_get_buffer2(context, frame, flags);

    int align[AV_NUM_DATA_POINTERS] = {0};
    struct shim_need need = {.width = frame->width, .height = frame->height, .align = 1};
    avcodec_align_dimensions2(context, &need.width, &need.height, align);
    for (int plane = 0; plane < 3; plane++)
        need.align = align[plane] > need.align ? align[plane] : need.align;
    if (need.align > ALIGN)
        return AVERROR(ENOSYS);
    /* Rows of colours are aligned, too. All pictures of one size have the same, whosever memory they lie in: the
     * decoder of H.264 takes for granted that another picture's rows are as long as this one's. */
    need.stride = (need.width + 2 * ALIGN - 1) / (2 * ALIGN) * (2 * ALIGN);

    struct shim_target target = {0};
    memset(frame->data, 0, sizeof frame->data);
    memset(frame->linesize, 0, sizeof frame->linesize);
    frame->linesize[0] = need.stride;
    frame->linesize[1] = frame->linesize[2] = need.stride / 2;
    frame->extended_data = frame->data;
    if (decoder->asked && decoder->give(decoder->asked, &need, &target) && fill_target(decoder, frame, &need, &target))
        return 0;
    /* A picture without memory would be missed by all that follow, and nobody would be told. */
    return fill_own(decoder, frame, &need) ? 0 : AVERROR(ENOMEM);
}

struct shim_decoder *shim_open(enum shim_codec which, int64_t pixels_max, shim_give give, shim_release release,
                               int32_t *error)
{
    static const char *const names[] = {"h264", "hevc", "aac"};
    const AVCodec *codec = avcodec_find_decoder_by_name(names[which]);
    struct shim_decoder *decoder = av_mallocz(sizeof *decoder);
    *error = AVERROR(ENOMEM);
    av_log_set_callback(say_nothing);
    if (!decoder)
        return NULL;
    if (!codec || !(codec->capabilities & AV_CODEC_CAP_DR1)) {
        *error = AVERROR_DECODER_NOT_FOUND;
        goto failed;
    }
    decoder->give = give;
    decoder->release = release;
    decoder->packet = av_packet_alloc();
    decoder->context = avcodec_alloc_context3(codec);
    if (!decoder->packet || !decoder->context)
        goto failed;
    decoder->context->opaque = decoder;
    decoder->context->get_buffer2 = get_buffer;
    decoder->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
    decoder->context->thread_count = 1;
    decoder->context->thread_type = 0;
    decoder->context->max_pixels = pixels_max;
    *error = avcodec_open2(decoder->context, codec, NULL);
    if (*error >= 0)
        return decoder;
failed:
    shim_close(decoder);
    return NULL;
}

void shim_close(struct shim_decoder *decoder)
{
    avcodec_free_context(&decoder->context);
    av_packet_free(&decoder->packet);
    av_buffer_pool_uninit(&decoder->pictures.buffers);
    av_buffer_pool_uninit(&decoder->colours.buffers);
    av_free(decoder);
}

void shim_flush(struct shim_decoder *decoder)
{
    avcodec_flush_buffers(decoder->context);
}

int32_t shim_send(struct shim_decoder *decoder, const uint8_t *bytes, size_t length, int64_t number, void *asked)
{
    AVPacket *packet = decoder->packet;
    if (length > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE)
        return AVERROR(EINVAL);
    /* Zeros follow the bytes in it, which decoders read beyond their end. */
    int outcome = av_new_packet(packet, (int)length);
    if (outcome < 0)
        return outcome;
    memcpy(packet->data, bytes, length);
    packet->pts = number;
    packet->dts = AV_NOPTS_VALUE;
    decoder->asked = asked;
    outcome = avcodec_send_packet(decoder->context, packet);
    decoder->asked = NULL;
    av_packet_unref(packet);
    return outcome;
}

int32_t shim_receive(struct shim_decoder *decoder, void *asked, struct shim_frame **out)
{
    AVFrame *frame = av_frame_alloc();
    if (!frame)
        return AVERROR(ENOMEM);
    decoder->asked = asked;
    int outcome = avcodec_receive_frame(decoder->context, frame);
    decoder->asked = NULL;
    if (outcome == 0) {
        *out = (struct shim_frame *)frame;
        return 0;
    }
    av_frame_free(&frame);
    return outcome == AVERROR(EAGAIN) || outcome == AVERROR_EOF ? SHIM_NOTHING : outcome;
}

void shim_describe(const struct shim_frame *opaque, struct shim_picture *picture)
{
    const AVFrame *frame = avframe(opaque);
    *picture = (struct shim_picture){
        .number = frame->pts,
        .width = frame->width,
        .height = frame->height,
        .is_420 = is_420(frame->format),
        .is_damaged = (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame->decode_error_flags != 0,
        .is_full_range = frame->color_range == AVCOL_RANGE_JPEG || frame->format == AV_PIX_FMT_YUVJ420P,
        .matrix = frame->colorspace,
        .hold = frame->opaque,
    };
#ifdef AV_FRAME_FLAG_KEY
    picture->is_key = (frame->flags & AV_FRAME_FLAG_KEY) != 0;
#else
    picture->is_key = frame->key_frame;
#endif
    for (int plane = 0; plane < 3; plane++) {
        picture->plane[plane] = frame->data[plane];
        picture->stride[plane] = frame->linesize[plane];
    }
}

void shim_free(struct shim_frame *opaque)
{
    AVFrame *frame = (AVFrame *)opaque;
    av_frame_free(&frame);
}

void shim_explain(int32_t error, char *text, size_t bytes)
{
    av_strerror(error, text, bytes);
}

uint32_t shim_version(void)
{
    return avcodec_version();
}
